-- How many records a group has not finished, and copies that are to come back to it.
local name, group = ARGV[4], ARGV[5]
local state, unfinished = of_group(name, group, 'state'), redis.call('ZCARD', of_group(name, group, 'delayed'))
for at = 0, partitions_of(name) - 1 do
  at = whole(at)
  local first = math.max(number(redis.call('HGET', state, 'mark:' .. at)), first_of(name, at) or 0)
  unfinished = unfinished + math.max(next_of(name, at) - first, 0)
end
return unfinished + redis.call('XLEN', prefix .. name)
