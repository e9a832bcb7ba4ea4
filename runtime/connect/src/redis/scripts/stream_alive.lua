-- A sign of life of consumers of a stream that have not been given up. ARGV[6...]: for each its group, and the
-- consumer.
local name, lease = ARGV[4], number(ARGV[5])
for at = 6, #ARGV, 2 do
  redis.call('ZADD', of_group(name, ARGV[at], 'consumers'), 'XX', whole(now + lease), ARGV[at + 1])
end
return 'ok'
