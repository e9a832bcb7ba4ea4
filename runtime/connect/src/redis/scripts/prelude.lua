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

local function size(fields)
  for at = 1, #fields, 2 do
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

-- Ids that were sent are known so long, and so many of them.
local function is_new(name, id, window, most)
  local seen = key(name, 'seen')
  if redis.call('ZADD', seen, 'NX', now, id) == 0 then return false end
  redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - window)
  redis.call('ZREMRANGEBYRANK', seen, 0, -1 - most)
  return true
end

local function put(name, fields)
  redis.call('XADD', prefix .. name, '*', unpack(fields))
  redis.call('HINCRBY', key(name, 'about'), 'bytes', size(fields))
  redis.call('HINCRBY', key(name, 'about'), 'sent', 1)
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

-- How many more messages a queue takes: one at least when it is empty.
local function room(name, most, most_bytes)
  local waiting, bytes = standing(name)
  if waiting == 0 then return math.max(most, 1) end
  if waiting >= most or bytes >= most_bytes then return 0 end
  return most - waiting
end

-- Moves a message to somebody, and tells its fields.
local function move(name, id, to, count)
  local moved = redis.call('XCLAIM', prefix .. name, GROUP, to, 0, id, 'RETRYCOUNT', count)
  return moved[1] and moved[1][2]
end

local function end_of(name, id)
  redis.call('XACK', prefix .. name, GROUP, id)
  redis.call('XDEL', prefix .. name, id)
  redis.call('HDEL', key(name, 'failed'), id)
end

-- Whoever holds it, its deliveries and since when it has failed.
local function owner(name, id)
  local found = redis.call('XPENDING', prefix .. name, GROUP, id, id, 1)[1]
  if found then return found[2], number(found[4]) end
end

-- Copies a message to where it is set aside, with what is known about why.
local function put_aside(to, fields, why, first)
  local copy = {}
  for at = 1, #fields do copy[at] = fields[at] end
  for at = 1, #why do copy[#copy + 1] = why[at] end
  local times = { 'failure-first', written(first), 'failure-last', written(now) }
  for at = 1, #times do copy[#copy + 1] = times[at] end
  make_queue(to)
  put(to, copy)
  bell('message', to)
end

-- A message whose tries are used up, or that is of no use, leaves the queue for another.
local function set_aside(name, id, to, why)
  local found = redis.call('XRANGE', prefix .. name, id, id)[1]
  if found then
    local first = number(redis.call('HGET', key(name, 'failed'), id) or now)
    put_aside(to, found[2], why, first)
  end
  end_of(name, id)
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
  redis.call('XGROUP', 'DELCONSUMER', prefix .. name, GROUP, consumer)
  bell('settled', name)
  return given_back
end

-- Consumers that have given no sign of life in time.
local function sweep(name)
  for _, consumer in ipairs(redis.call('ZRANGEBYSCORE', key(name, 'consumers'), '-inf', now)) do
    evict(name, consumer)
  end
end
