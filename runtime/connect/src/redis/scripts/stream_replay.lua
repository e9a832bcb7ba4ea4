-- Sends a group, perhaps a new one, to another place. What its consumers hold has no say any more. ARGV: 4 stream,
-- 5 group, 6 partition or nothing for all, 7 and 8 the place, see `stream_place`; `forget` to forget the group.
local name, group, only, what, value = ARGV[4], ARGV[5], ARGV[6], ARGV[7], number(ARGV[8])
local kind = redis.call('HGET', key(name, 'about'), 'kind')
if kind ~= 'stream' then return { 'other', kind or '' } end
local state = of_group(name, group, 'state')
local is_new = redis.call('SISMEMBER', key(name, 'groups'), group) == 0
if what == 'forget' then
  if is_new then return { 'none' } end
  sweep_group(name, group)
  if redis.call('ZCARD', of_group(name, group, 'consumers')) > 0 then return { 'busy' } end
  redis.call('SREM', key(name, 'groups'), group)
  for _, part in ipairs({ 'state', 'failed', 'consumers', 'order', 'delayed' }) do
    redis.call('UNLINK', of_group(name, group, part))
  end
  return { 'done' }
end
local count = partitions_of(name)
if only ~= '' and number(only) >= count then return { 'few', count } end
redis.call('SADD', key(name, 'groups'), group)
for at = 0, count - 1 do
  at = whole(at)
  local next, mark = next_of(name, at), number(redis.call('HGET', state, 'mark:' .. at))
  local replayed = number(redis.call('HGET', state, 'replayed:' .. at))
  if is_new then replayed = next end
  if only == '' or only == at then
    local offset = place(name, at, what, value, is_new and next or mark)
    replayed = math.max(replayed, number(redis.call('HGET', state, 'reached:' .. at)), mark)
    redis.call('HSET', state, 'mark:' .. at, whole(offset), 'reached:' .. at, whole(offset))
    redis.call('HDEL', state, 'unsettled:' .. at, 'again:' .. at, 'busy:' .. at)
    redis.call('HINCRBY', state, 'epoch:' .. at, 1)
    redis.call('UNLINK', of_group(name, group, 'copied:' .. at))
    local failed = of_group(name, group, 'failed')
    for _, each in ipairs(redis.call('HKEYS', failed)) do
      if string.match(each, '^(%d+):') == at then redis.call('HDEL', failed, each) end
    end
  end
  redis.call('HSET', state, 'replayed:' .. at, whole(replayed))
end
bell('shares', name)
return { 'done' }
