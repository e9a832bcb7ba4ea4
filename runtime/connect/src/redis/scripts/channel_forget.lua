-- A subscriber that has left with nothing to do is forgotten.
local name, subscriber, queue = ARGV[4], ARGV[5], ARGV[6]
sweep(queue)
if redis.call('ZCARD', key(queue, 'consumers')) == 0 and redis.call('XLEN', prefix .. queue) == 0 then
  redis.call('HDEL', key(name, 'subscribers'), subscriber)
  redis.call('SREM', prefix .. 'paperflow:connectors', queue)
  redis.call('UNLINK', prefix .. queue)
  for _, part in ipairs({ 'about', 'consumers', 'due', 'failed', 'ids', 'ids-before', 'seen', 'stopped' }) do
    redis.call('UNLINK', key(queue, part))
  end
end
return 'ok'
