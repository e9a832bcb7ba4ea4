-- A subscriber comes, perhaps again; a new one gets the last message first, if it is kept.
local name, subscriber, queue = ARGV[4], ARGV[5], ARGV[6]
if redis.call('HSETNX', key(name, 'subscribers'), subscriber, queue) == 1 then
  local last = redis.call('LRANGE', key(name, 'retained'), 0, -1)
  if #last > 0 then put(queue, last) end
end
return 'ok'
