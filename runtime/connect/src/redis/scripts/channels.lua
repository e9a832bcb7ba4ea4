-- How the channels are doing: for each its name, what was sent, what nobody has seen, and its subscribers.
local names, channels = redis.call('SMEMBERS', prefix .. 'paperflow:connectors'), {}
table.sort(names)
for _, name in ipairs(names) do
  local about = key(name, 'about')
  if redis.call('HGET', about, 'kind') == 'pubsub' then
    local found, subscribers = redis.call('HGETALL', key(name, 'subscribers')), {}
    for at = 1, #found, 2 do
      local queue = found[at + 1]
      sweep(queue)
      local is_there = is_read(queue) and 1 or 0
      subscribers[#subscribers + 1] = { found[at], queue, is_there, redis.call('XLEN', prefix .. queue) }
    end
    channels[#channels + 1] = {
      name, number(redis.call('HGET', about, 'sent')), number(redis.call('HGET', about, 'unobserved')),
      subscribers,
    }
  end
end
return channels
