-- A consumer of a group says how far it has come, hears which partitions it has, and reads some of them.
-- ARGV: 4 stream, 5 group, 6 consumer, 7 lease, 8 `join`, `stay`, `retire` or `leave`, 9 how many reports, and
-- for each of those: partition, epoch, unsettled, again, reached, `1` if it holds nothing, mark, replayed,
-- skipped, expired, how many failures, and for each its offset, times, how long it rests, since when.
-- Then for each page that is wanted: partition, offset, how many records.
local name, group, member, lease, mode = ARGV[4], ARGV[5], ARGV[6], number(ARGV[7]), ARGV[8]
local state, failed = of_group(name, group, 'state'), of_group(name, group, 'failed')
local consumers, order = of_group(name, group, 'consumers'), of_group(name, group, 'order')
if mode == 'join' then
  redis.call('SADD', key(name, 'groups'), group)
  redis.call('ZADD', order, redis.call('HINCRBY', state, 'joined', 1), member)
elseif not redis.call('ZSCORE', consumers, member) then
  return { 'gone' }
end
redis.call('ZADD', consumers, whole(now + lease), member)
sweep_group(name, group)

local known, at, has_news = {}, 10, false
for _ = 1, number(ARGV[9]) do
  local part, epoch, failures = ARGV[at], ARGV[at + 1], number(ARGV[at + 10])
  local is_own = redis.call('HGET', state, 'owner:' .. part) == member
    and redis.call('HGET', state, 'epoch:' .. part) == epoch
  if is_own then
    known[part] = true
    local function differs(what, value) return redis.call('HGET', state, what .. ':' .. part) ~= value end
    has_news = has_news or differs('reached', ARGV[at + 4]) or differs('unsettled', ARGV[at + 2])
    redis.call('HSET', state, 'unsettled:' .. part, ARGV[at + 2], 'again:' .. part, ARGV[at + 3],
      'reached:' .. part, ARGV[at + 4], 'busy:' .. part, ARGV[at + 5] == '1' and '' or '1',
      'mark:' .. part, ARGV[at + 6], 'replayed:' .. part, ARGV[at + 7],
      'skipped:' .. part, ARGV[at + 8], 'expired:' .. part, ARGV[at + 9])
    redis.call('ZREMRANGEBYSCORE', of_group(name, group, 'copied:' .. part), '-inf', '(' .. ARGV[at + 6])
  end
  at = at + 11
  for _ = 1, failures do
    local offset, times = part .. ':' .. ARGV[at], number(ARGV[at + 1])
    if is_own and times > 0 then
      redis.call('HSET', failed, offset, whole(times) .. ' ' .. whole(now + number(ARGV[at + 2])) .. ' ' .. ARGV[at + 3])
    elseif is_own then
      redis.call('HDEL', failed, offset)
    end
    at = at + 4
  end
end
if mode == 'leave' then
  leave_group(name, group, member)
  return { 'left' }
end
if mode == 'retire' then redis.call('ZREM', order, member) end
if has_news then bell('room', name) end
balance(name, group)
take_back(name, group)

local failures
local function failures_of(part)
  failures = failures or redis.call('HGETALL', failed)
  local own = {}
  for each = 1, #failures, 2 do
    local of, offset = string.match(failures[each], '^(%d+):(%d+)$')
    if of == part then
      local times, till, since = string.match(failures[each + 1], '^(%d+) (%d+) (%d+)$')
      own[#own + 1] = { offset, times, whole(math.max(number(till) - now, 0)), since }
    end
  end
  return own
end

local due
local function earlier(moment)
  if moment and (not due or moment < due) then due = moment end
end
local shares, elsewhere, session = {}, 0, string.match(member, '^[^:]*:')
for part = 0, partitions_of(name) - 1 do
  part = whole(part)
  local owner = redis.call('HGET', state, 'owner:' .. part)
  if owner == member then
    local share = { part, redis.call('HGET', state, 'epoch:' .. part), whole(next_of(name, part)),
      redis.call('HGET', state, 'leaving:' .. part) or '' }
    if not known[part] then
      for _, what in ipairs({ 'mark', 'replayed', 'skipped', 'expired' }) do
        share[#share + 1] = redis.call('HGET', state, what .. ':' .. part) or '0'
      end
      share[#share + 1] = failures_of(part)
    end
    shares[#shares + 1] = share
  elseif owner then
    local held = number(redis.call('HGET', state, 'unsettled:' .. part))
    if redis.call('HGET', state, 'busy:' .. part) == '1' then held = math.max(held, 1) end
    held = held + number(redis.call('HGET', state, 'again:' .. part))
      + math.max(next_of(name, part) - number(redis.call('HGET', state, 'reached:' .. part)), 0)
    elsewhere = elsewhere + held
    -- What is left there is ours when another process gives no sign of life.
    if held > 0 and string.sub(owner, 1, #session) ~= session then
      earlier(tonumber(redis.call('ZSCORE', consumers, owner) or nil))
    end
  end
end

local pages = {}
while at <= #ARGV do
  local part, from, most = ARGV[at], number(ARGV[at + 1]), number(ARGV[at + 2])
  if redis.call('HGET', state, 'owner:' .. part) == member
    and redis.call('HGET', state, 'leaving:' .. part) ~= '1' then
    local records, bytes, stop, start = {}, 0, next_of(name, part), from
    repeat
      local some = redis.call('XRANGE', records_of(name, part), whole(start + 1) .. '-0', '+', 'COUNT', 64)
      for _, each in ipairs(some) do
        start = offset_of(each[1]) + 1
        bytes = bytes + size(each[2])
        records[#records + 1] = { whole(start - 1), each[2] }
      end
      if #records >= most or bytes >= 1048576 then stop = start end
    until #some < 64 or #records >= most or bytes >= 1048576
    redis.call('HSET', state, 'busy:' .. part, '1')
    pages[#pages + 1] = { part, whole(from), whole(stop), records }
  end
  at = at + 3
end

earlier(tonumber(redis.call('ZRANGE', of_group(name, group, 'delayed'), 0, 0, 'WITHSCORES')[2]))
-- What others have written by themselves.
local strange = redis.call('XLEN', prefix .. name)
return { 'turn', shares, pages, due and whole(math.max(due - now, 0)) or '', elsewhere, strange }
