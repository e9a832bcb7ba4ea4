-- A sign of life of all consumers of a stream that read for whoever asks, if they have not been given up.
-- ARGV[6...]: for each its group, and the consumer.
local name, lease = ARGV[4], number(ARGV[5])
for at = 6, #ARGV, 2 do
  redis.call('ZADD', of_group(name, ARGV[at], 'consumers'), 'XX', whole(now + lease), ARGV[at + 1])
end
for _, group in ipairs(redis.call('SMEMBERS', key(name, 'groups'))) do sweep_group(name, group, true) end
return 'ok'
