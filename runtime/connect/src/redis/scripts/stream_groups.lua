-- How the groups of a stream are doing; what it is, if it is no stream. For each group its name, its consumers,
-- and for each partition: mark, next, unsettled, skipped, expired, owner, epoch.
local name = ARGV[4]
local kind = redis.call('HGET', key(name, 'about'), 'kind')
if kind ~= 'stream' then return { 'other', kind or '' } end
local names, groups = redis.call('SMEMBERS', key(name, 'groups')), {}
table.sort(names)
for _, group in ipairs(names) do
  sweep_group(name, group)
  local state, partitions = of_group(name, group, 'state'), {}
  for at = 0, partitions_of(name) - 1 do
    at = whole(at)
    local function value(what) return redis.call('HGET', state, what .. ':' .. at) or '' end
    partitions[#partitions + 1] = { value('mark'), whole(next_of(name, at)), value('unsettled'),
      value('skipped'), value('expired'), value('owner'), value('epoch') }
  end
  groups[#groups + 1] = { group, redis.call('ZRANGE', of_group(name, group, 'order'), 0, -1), partitions }
end
return { 'groups', groups }
