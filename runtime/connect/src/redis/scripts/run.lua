-- The number of the run of a graph that has not finished well; or it has, and its connectors forget the
-- ids that it has sent. Nothing happens when the run of that number is over.
local runs, graph = prefix .. 'paperflow:runs', ARGV[4]
if ARGV[5] ~= '' and number(redis.call('HGET', runs, graph)) == number(ARGV[5]) then
  for at = 6, #ARGV do
    for _, part in ipairs({ 'ids', 'ids-before', 'seen' }) do redis.call('UNLINK', key(ARGV[at], part)) end
  end
  redis.call('UNLINK', prefix .. 'paperflow:notes:' .. graph)
  return redis.call('HINCRBY', runs, graph, 1)
end
redis.call('HSETNX', runs, graph, 0)
return number(redis.call('HGET', runs, graph))
