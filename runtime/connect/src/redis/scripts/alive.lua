-- A sign of life of all consumers of a queue that read for whoever asks; tells which have been given up.
-- ARGV: 4 queue, 5 lease, 6 and 7 its bounds, 8... consumers.
local name, lease, lost = ARGV[4], number(ARGV[5]), {}
local consumers = key(name, 'consumers')
for at = 8, #ARGV do
  if redis.call('ZSCORE', consumers, ARGV[at]) then
    redis.call('ZADD', consumers, whole(now + lease), ARGV[at])
  else
    lost[#lost + 1] = ARGV[at]
  end
end
for _, consumer in ipairs(late(consumers, true)) do
  evict(name, consumer)
  lost[#lost + 1] = consumer
end
-- The last entry that has come, so that it is seen when others write here by themselves.
local about, last = redis.call('XINFO', 'STREAM', prefix .. name), ''
for at = 1, #about, 2 do
  if about[at] == 'last-generated-id' then last = about[at + 1] end
end
return { lost, last, room(name, number(ARGV[6]), number(ARGV[7])) }
