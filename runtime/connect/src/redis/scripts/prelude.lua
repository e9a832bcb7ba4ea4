-- What all scripts have in common. A script is one transaction: others see all of it or nothing.
-- ARGV[1]: what all keys begin with. ARGV[2]: the time, in milliseconds since 1970; nothing for that of
-- the server. ARGV[3]: who asks, so that it need not hear of itself. Its own arguments follow.
local prefix, asker = ARGV[1], ARGV[3]
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local GROUP, READY, RESTING = 'paperflow', '(ready)', '(resting)'

local function number(text) return tonumber(text or '0') or 0 end
local function whole(value) return string.format('%.0f', value) end
local function key(name, part) return prefix .. 'paperflow:' .. name .. ':' .. part end
local function bell(what, name)
  redis.call('PUBLISH', prefix .. 'paperflow:bell', asker .. '\n' .. what .. '\n' .. name)
end

-- A time in UTC, as RFC 3339 writes it.
local function written(millis)
  local days, rest = math.floor(millis / 86400000), millis % 86400000
  local era_day = days + 719468
  local era = math.floor(era_day / 146097)
  local doe = era_day - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local day, month = doy - math.floor((153 * mp + 2) / 5) + 1, mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  local seconds = math.floor(rest / 1000)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day,
    math.floor(seconds / 3600), math.floor(seconds / 60) % 60, seconds % 60, rest % 1000)
end

-- How long the payload is in a list of fields; it is the last of those that a sender writes.
local function size(fields)
  for at = #fields - 1, 1, -2 do
    if fields[at] == 'data' then return #fields[at + 1] end
  end
  return 0
end

local function field(fields, name)
  for at = 1, #fields, 2 do
    if fields[at] == name then return fields[at + 1] end
  end
end

-- Makes a queue if it is not there.
local function make_queue(name)
  if redis.call('HSETNX', key(name, 'about'), 'kind', 'queue') == 1 then
    redis.call('SADD', prefix .. 'paperflow:connectors', name)
  end
  local made = redis.pcall('XGROUP', 'CREATE', prefix .. name, GROUP, '0', 'MKSTREAM')
  if type(made) == 'table' and made.err and not string.find(made.err, 'BUSYGROUP') then
    return made
  end
end

-- Hands a list over in parts, since nothing takes more than some thousand arguments.
local function in_parts(list, what)
  for from = 1, #list, 1000 do what(unpack(list, from, math.min(from + 999, #list))) end
end

-- The places of those of these ids that were not sent before. What was sent stands in two sets, and in a sorted one
-- if an older version has sent something.
local function unknown(name, ids)
  local known, fresh = {}, {}
  local function ask(command, part)
    local set, at = key(name, part), 0
    if redis.call('EXISTS', set) == 0 then return end
    in_parts(ids, function(...)
      for _, found in ipairs(redis.call(command, set, ...)) do
        at = at + 1
        if found and found ~= 0 then known[ids[at]] = true end
      end
    end)
  end
  ask('SMISMEMBER', 'ids')
  ask('SMISMEMBER', 'ids-before')
  ask('ZMSCORE', 'seen')
  for at, id in ipairs(ids) do
    if not known[id] then
      known[id] = true
      fresh[#fresh + 1] = at
    end
  end
  return fresh
end

-- Ids that were sent are known so long, or until so many others were: the set of the last ones, once it is old or
-- full, takes the place of the one before.
local function know(name, ids, fresh, window, most)
  local about, last, before = key(name, 'about'), key(name, 'ids'), key(name, 'ids-before')
  local since, own = tonumber(redis.call('HGET', about, 'since') or nil), {}
  if not since or since + window <= now or redis.call('SCARD', last) >= most then
    if redis.call('EXISTS', last) == 1 then
      redis.call('UNLINK', before)
      redis.call('RENAME', last, before)
    end
    -- An older version that still sends here removes itself what is too old.
    local newest = tonumber(redis.call('ZREVRANGE', key(name, 'seen'), 0, 0, 'WITHSCORES')[2])
    if since and newest and newest < since then redis.call('UNLINK', key(name, 'seen')) end
    redis.call('HSET', about, 'since', whole(now))
  end
  for each, at in ipairs(fresh) do own[each] = ids[at] end
  in_parts(own, function(...) redis.call('SADD', last, ...) end)
end

-- Messages have come into a queue.
local function count_in(name, messages, bytes)
  redis.call('HINCRBY', key(name, 'about'), 'bytes', bytes)
  redis.call('HINCRBY', key(name, 'about'), 'sent', messages)
end

local function put(name, fields)
  redis.call('XADD', prefix .. name, '*', unpack(fields))
  count_in(name, 1, size(fields))
end

-- How a queue stands: messages that wait, their bytes, and deliveries by consumer.
local function standing(name)
  local all = redis.call('XLEN', prefix .. name)
  local pending = redis.call('XPENDING', prefix .. name, GROUP)
  local held, by = 0, {}
  for _, each in ipairs(pending[4] or {}) do
    if each[1] ~= READY and each[1] ~= RESTING then
      held = held + number(each[2])
      by[each[1]] = number(each[2])
    end
  end
  local waiting = all - held
  local about = key(name, 'about')
  local bytes = number(redis.call('HGET', about, 'bytes'))
  if waiting == 0 and bytes ~= 0 or bytes < 0 then
    redis.call('HSET', about, 'bytes', 0)
    bytes = 0
  end
  return waiting, bytes, held, by
end

-- How many more messages a queue takes in which so much waits: one at least when it is empty.
local function room_beside(waiting, bytes, most, most_bytes)
  if waiting == 0 then return math.max(most, 1) end
  if waiting >= most or bytes >= most_bytes then return 0 end
  return most - waiting
end

local function room(name, most, most_bytes)
  local waiting, bytes = standing(name)
  return room_beside(waiting, bytes, most, most_bytes)
end

-- Moves a message to somebody, and tells its fields.
local function move(name, id, to, count)
  local moved = redis.call('XCLAIM', prefix .. name, GROUP, to, 0, id, 'RETRYCOUNT', count)
  return moved[1] and moved[1][2]
end

-- Messages leave a queue; tells how many somebody held.
local function end_of(name, ids)
  local held = 0
  in_parts(ids, function(...)
    held = held + redis.call('XACK', prefix .. name, GROUP, ...)
    redis.call('XDEL', prefix .. name, ...)
  end)
  local failed = key(name, 'failed')
  if redis.call('EXISTS', failed) == 1 then
    in_parts(ids, function(...) redis.call('HDEL', failed, ...) end)
  end
  return held
end

-- Whoever holds it, its deliveries and since when it has failed.
local function owner(name, id)
  local found = redis.call('XPENDING', prefix .. name, GROUP, id, id, 1)[1]
  if found then return found[2], number(found[4]) end
end

-- ---- streams ----

local function records_of(name, at) return prefix .. name .. ':' .. at end
local function of_group(name, group, part) return key(name, 'group:' .. group .. ':' .. part) end
local function partitions_of(name) return number(redis.call('HGET', key(name, 'about'), 'partitions')) end
local function next_of(name, at) return number(redis.call('HGET', key(name, 'about'), 'next:' .. at)) end

-- Records have come into a partition.
local function count_records(name, at, records, bytes)
  local about = key(name, 'about')
  redis.call('HINCRBY', about, 'next:' .. at, records)
  redis.call('HINCRBY', about, 'records:' .. at, records)
  redis.call('HINCRBY', about, 'bytes:' .. at, bytes)
end

-- Writes a record at the end of a partition, and tells its offset.
local function append(name, at, fields)
  local offset, all = next_of(name, at), { 'pf_at', whole(now) }
  for each = 1, #fields do all[#all + 1] = fields[each] end
  redis.call('XADD', records_of(name, at), whole(offset + 1) .. '-0', unpack(all))
  count_records(name, at, 1, size(fields))
  return offset
end

-- The record at an offset.
local function record_at(name, at, offset)
  local id = whole(offset + 1) .. '-0'
  local found = redis.call('XRANGE', records_of(name, at), id, id)[1]
  return found and found[2]
end

local function remove(name, at, offset)
  local fields = record_at(name, at, offset)
  if not fields then return end
  redis.call('XDEL', records_of(name, at), whole(offset + 1) .. '-0')
  redis.call('HINCRBY', key(name, 'about'), 'records:' .. at, -1)
  redis.call('HINCRBY', key(name, 'about'), 'bytes:' .. at, 0 - size(fields))
end

local function offset_of(id) return number(string.match(id, '^(%d+)')) - 1 end

-- The first record of a partition that is kept: its offset, and when it was written.
local function first_of(name, at)
  local found = redis.call('XRANGE', records_of(name, at), '-', '+', 'COUNT', 1)[1]
  if found then return offset_of(found[1]), number(field(found[2], 'pf_at')) end
end

-- Fields without those that were put there by us; what says why it failed goes too if it came back.
local function bare(fields, came_back)
  local kept = {}
  for at = 1, #fields, 2 do
    local is_ours = string.sub(fields[at], 1, 3) == 'pf_'
    local is_why = came_back and string.sub(fields[at], 1, 8) == 'failure-'
    if not is_ours and not is_why then
      kept[#kept + 1] = fields[at]
      kept[#kept + 1] = fields[at + 1]
    end
  end
  return kept
end

-- Copies a message to where it is set aside, with what is known about why; to a partition, if that is a
-- stream.
local function put_aside(to, fields, why, first, partition)
  local copy = {}
  for at = 1, #fields do copy[at] = fields[at] end
  for at = 1, #why do copy[#copy + 1] = why[at] end
  local times = { 'failure-first', written(first), 'failure-last', written(now) }
  for at = 1, #times do copy[#copy + 1] = times[at] end
  if redis.call('HGET', key(to, 'about'), 'kind') == 'stream' then
    append(to, whole(number(partition) % partitions_of(to)), copy)
  else
    make_queue(to)
    put(to, copy)
  end
  bell('message', to)
end

-- A message whose tries are used up, or that is of no use, leaves the queue for another.
local function set_aside(name, id, to, why)
  local found = redis.call('XRANGE', prefix .. name, id, id)[1]
  if found then
    local first = number(redis.call('HGET', key(name, 'failed'), id) or now)
    put_aside(to, found[2], why, first)
  end
  end_of(name, { id })
end

-- A consumer has nothing any more; what it held is ready for others, and that delivery counts.
local function evict(name, consumer)
  local given_back = 0
  repeat
    local held = redis.call('XPENDING', prefix .. name, GROUP, '-', '+', 500, consumer)
    for _, each in ipairs(held) do
      local fields = move(name, each[1], READY, each[4])
      if fields then
        redis.call('HINCRBY', key(name, 'about'), 'bytes', size(fields))
        given_back = given_back + 1
      end
    end
  until #held == 0
  redis.call('ZREM', key(name, 'consumers'), consumer)
  redis.call('SREM', key(name, 'stopped'), consumer)
  redis.call('XGROUP', 'DELCONSUMER', prefix .. name, GROUP, consumer)
  bell('settled', name)
  return given_back
end

-- Consumers that have given no sign of life in time, of others or of whoever asks. He is alive, and so are those
-- who read for him, also when the server was away for longer than their leases: they are given up only when he
-- tells who still reads, and they are not among those.
local function late(consumers, is_own)
  local found = {}
  for _, consumer in ipairs(redis.call('ZRANGEBYSCORE', consumers, '-inf', now)) do
    if (string.sub(consumer, 1, #asker + 1) == asker .. ':') == is_own then found[#found + 1] = consumer end
  end
  return found
end

local function sweep(name)
  for _, consumer in ipairs(late(key(name, 'consumers'), false)) do evict(name, consumer) end
end

-- Whether somebody reads a queue, and is to get more.
local function is_read(queue)
  return redis.call('ZCARD', key(queue, 'consumers')) > redis.call('SCARD', key(queue, 'stopped'))
end

-- The queues of the subscribers of a channel that are there.
local function present(channel)
  local queues = {}
  for _, queue in ipairs(redis.call('HVALS', key(channel, 'subscribers'))) do
    sweep(queue)
    if is_read(queue) then queues[#queues + 1] = queue end
  end
  return queues
end

-- How many more messages all of these queues take; -1 when there is none.
local function channel_room(queues, most, most_bytes)
  local least = -1
  for _, queue in ipairs(queues) do
    local own = room(queue, most, most_bytes)
    if least < 0 or own < least then least = own end
  end
  return least
end

local function make_stream(name)
  if redis.call('HSETNX', key(name, 'about'), 'kind', 'stream') == 1 then
    redis.call('SADD', prefix .. 'paperflow:connectors', name)
    redis.call('HSET', key(name, 'about'), 'partitions', 1)
  end
end

-- Shares the partitions out among the consumers of a group. Everybody has as many as the others, or one
-- more, and keeps those it has as far as that allows; one that is busy stays until it is not. Tells
-- whether anything has changed hands.
local function balance(name, group)
  local state = of_group(name, group, 'state')
  local members = redis.call('ZRANGE', of_group(name, group, 'order'), 0, -1)
  local count, owners, own, has = partitions_of(name), {}, {}, false
  for _, member in ipairs(members) do own[member] = {} end
  for at = 0, count - 1 do
    local member = redis.call('HGET', state, 'owner:' .. at)
    owners[at] = member
    if member and own[member] then table.insert(own[member], at) end
  end
  local ranked = {}
  for rank, member in ipairs(members) do ranked[rank] = { member, rank } end
  table.sort(ranked, function(one, other)
    local a, b = #own[one[1]], #own[other[1]]
    if a ~= b then return a > b end
    return one[2] < other[2]
  end)
  local each, over = math.floor(count / math.max(#members, 1)), count % math.max(#members, 1)
  local quota = {}
  for rank, member in ipairs(ranked) do quota[member[1]] = each + (rank <= over and 1 or 0) end
  local function is_busy(at) return redis.call('HGET', state, 'busy:' .. at) == '1' end
  local function is_leaving(at, leaves)
    redis.call('HSET', state, 'leaving:' .. at, leaves and '1' or '')
    if leaves and not is_busy(at) then
      redis.call('HDEL', state, 'owner:' .. at, 'leaving:' .. at)
      owners[at], has = false, true
    end
  end
  for at = 0, count - 1 do
    if owners[at] and not own[owners[at]] then is_leaving(at, true) end
  end
  for _, member in ipairs(members) do
    local mine = own[member]
    table.sort(mine, function(one, other)
      local a, b = is_busy(one), is_busy(other)
      if a ~= b then return a end
      return one < other
    end)
    for rank, at in ipairs(mine) do is_leaving(at, rank > quota[member]) end
  end
  local counts = {}
  for at = 0, count - 1 do
    if owners[at] then counts[owners[at]] = (counts[owners[at]] or 0) + 1 end
  end
  for at = 0, count - 1 do
    if not owners[at] then
      local poorest, lacks = nil, 0
      for _, member in ipairs(members) do
        local lack = quota[member] - (counts[member] or 0)
        if lack > lacks then poorest, lacks = member, lack end
      end
      if poorest then
        redis.call('HSET', state, 'owner:' .. at, poorest)
        redis.call('HINCRBY', state, 'epoch:' .. at, 1)
        redis.call('HDEL', state, 'busy:' .. at, 'unsettled:' .. at, 'again:' .. at, 'leaving:' .. at)
        redis.call('HSET', state, 'reached:' .. at, redis.call('HGET', state, 'mark:' .. at) or '0')
        counts[poorest] = (counts[poorest] or 0) + 1
        has = true
      end
    end
  end
  if has then bell('shares', name) end
  return has
end

-- A consumer goes, and holds nothing any more.
local function leave_group(name, group, member)
  local state = of_group(name, group, 'state')
  redis.call('ZREM', of_group(name, group, 'consumers'), member)
  redis.call('ZREM', of_group(name, group, 'order'), member)
  for at = 0, partitions_of(name) - 1 do
    if redis.call('HGET', state, 'owner:' .. at) == member then
      redis.call('HDEL', state, 'owner:' .. at, 'busy:' .. at, 'unsettled:' .. at, 'again:' .. at)
      redis.call('HSET', state, 'reached:' .. at, redis.call('HGET', state, 'mark:' .. at) or '0')
    end
  end
  balance(name, group)
  bell('shares', name)
end

-- Consumers of a group that have given no sign of life in time, as `late` has them.
local function sweep_group(name, group, is_own)
  local consumers = of_group(name, group, 'consumers')
  for _, member in ipairs(late(consumers, is_own or false)) do leave_group(name, group, member) end
end

-- Copies that are due come back to the end of the partition they came from, for their group alone.
local function take_back(name, group)
  local delayed, has = of_group(name, group, 'delayed'), false
  for _, copy in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, 100)) do
    local at, attempt, via_at, via_offset, via = string.match(copy, '^(%d+) (%d+) (%d+) (%d+) (.*)$')
    local fields = record_at(via, via_at, number(via_offset))
    if fields then
      local back = bare(fields, true)
      for _, each in ipairs({ 'pf_attempt', attempt, 'pf_only', group }) do back[#back + 1] = each end
      append(name, at, back)
      remove(via, via_at, number(via_offset))
    end
    redis.call('ZREM', delayed, copy)
    has = true
  end
  if has then bell('message', name) end
end

-- How many more messages a stream takes whose slowest group that is there may lag so far behind.
local function stream_room(name, lag)
  local most = 0
  for _, group in ipairs(redis.call('SMEMBERS', key(name, 'groups'))) do
    sweep_group(name, group)
    if redis.call('ZCARD', of_group(name, group, 'order')) > 0 then
      local state, unread = of_group(name, group, 'state'), 0
      for at = 0, partitions_of(name) - 1 do
        local reached = number(redis.call('HGET', state, 'reached:' .. at))
        unread = unread + math.max(next_of(name, at) - reached, 0)
          + number(redis.call('HGET', state, 'again:' .. at))
      end
      most = math.max(most, unread)
    end
  end
  return math.max(lag - most, 0)
end

-- Where a place is in a partition; `from` is where one goes back from.
local function place(name, at, what, value, from)
  local next = next_of(name, at)
  if what == 'start' then return 0 end
  if what == 'end' then return next end
  if what == 'offset' then return math.min(value, next) end
  if what == 'back' then return math.max(from - value, 0) end
  -- The first record that was written then or later.
  local low, high = first_of(name, at) or next, next
  while low < high do
    local middle = math.floor((low + high) / 2)
    local found = redis.call('XRANGE', records_of(name, at), whole(middle + 1) .. '-0', '+', 'COUNT', 1)[1]
    if found and number(field(found[2], 'pf_at')) < value then
      low = offset_of(found[1]) + 1
    else
      high = middle
    end
  end
  return low
end
