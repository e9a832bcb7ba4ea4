-- How the streams are doing: for each its name, its declaration, its groups, copies that are to come back, and
-- for each partition the first offset, the next, records and bytes.
local names, streams = redis.call('SMEMBERS', prefix .. 'paperflow:connectors'), {}
table.sort(names)
for _, name in ipairs(names) do
  local about = key(name, 'about')
  if redis.call('HGET', about, 'kind') == 'stream' then
    local groups, partitions, delayed = redis.call('SMEMBERS', key(name, 'groups')), {}, 0
    table.sort(groups)
    for _, group in ipairs(groups) do
      take_back(name, group)
      delayed = delayed + redis.call('ZCARD', of_group(name, group, 'delayed'))
    end
    for at = 0, partitions_of(name) - 1 do
      at = whole(at)
      local next = next_of(name, at)
      partitions[#partitions + 1] = { whole(first_of(name, at) or next), whole(next),
        whole(number(redis.call('HGET', about, 'records:' .. at))),
        whole(number(redis.call('HGET', about, 'bytes:' .. at))) }
    end
    streams[#streams + 1] = { name, redis.call('HGET', about, 'declaration') or '', groups, delayed, partitions }
  end
end
return streams
