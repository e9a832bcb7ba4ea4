-- Leases messages to a consumer: first those that were given back, then new ones. For each its entry, its fields,
-- and which delivery it is, if it is not the first.
local name, consumer, most = ARGV[4], ARGV[5], number(ARGV[6])
local lease, tries, dead, joins = number(ARGV[7]), number(ARGV[8]) + 1, ARGV[9], ARGV[10]
local consumers = key(name, 'consumers')
if joins == '' and not redis.call('ZSCORE', consumers, consumer) then return { 'gone' } end
redis.call('ZADD', consumers, whole(now + lease), consumer)
sweep(name)

local due = key(name, 'due')
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 500)) do
  redis.call('ZREM', due, id)
  redis.call('XCLAIM', prefix .. name, GROUP, READY, 0, id, 'JUSTID')
end

local function why(fields, count)
  return { 'failure-reason', 'delivery-error', 'failure-connector', name, 'failure-attempts',
    whole(count), 'failure-id', field(fields, 'ce_id') or '' }
end

local found, bytes = {}, 0
local function hand_out(each)
  bytes = bytes + size(each[2])
  found[#found + 1] = each
end
while #found < most do
  local ready = redis.call('XPENDING', prefix .. name, GROUP, '-', '+', most - #found, READY)
  for _, each in ipairs(ready) do
    local id, count = each[1], number(each[4])
    local fields = move(name, id, consumer, count + 1)
    if fields and count >= tries then
      redis.call('HINCRBY', key(name, 'about'), 'bytes', 0 - size(fields))
      set_aside(name, id, dead, why(fields, count))
    elseif fields then
      hand_out({ id, fields, count + 1 })
    end
  end
  if #ready == 0 then break end
end
if #found < most then
  local fresh = redis.call('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', most - #found,
    'STREAMS', prefix .. name, '>')
  for _, each in ipairs(fresh and fresh[1][2] or {}) do hand_out(each) end
end
if #found > 0 then
  redis.call('HINCRBY', key(name, 'about'), 'bytes', 0 - bytes)
  redis.call('HINCRBY', key(name, 'about'), 'delivered', #found)
  bell('room', name)
end

-- What may still come: when the first rests no longer, or another process shows no sign of life.
local until_then
local function earlier(moment)
  if moment and (not until_then or moment < until_then) then until_then = moment end
end
local _, _, held, by = standing(name)
local own = by[consumer] or 0
if #found == 0 then
  earlier(tonumber(redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]))
  for other, _ in pairs(by) do
    if string.sub(other, 1, #asker) ~= asker then
      earlier(tonumber(redis.call('ZSCORE', consumers, other) or nil))
    end
  end
end
return { 'found', found, until_then and whole(until_then - now) or '', own, held - own }
