-- Writes a copy of each new message for each subscriber that is there, all or none.
-- ARGV[10...]: for each message its id, how long its payload is, and its fields as one text.
local name, window, most_ids = ARGV[4], number(ARGV[5]), number(ARGV[6])
local most, most_bytes, retains = number(ARGV[7]), number(ARGV[8]), ARGV[9]
local ids = {}
for at = 10, #ARGV, 3 do ids[#ids + 1] = ARGV[at] end
local fresh = unknown(name, ids)
local count = #fresh
local queues = present(name)
for _, queue in ipairs(queues) do
  local waiting, bytes = standing(queue)
  if count > 0 and waiting > 0 and (waiting + count > most or bytes >= most_bytes) then
    return { 'full' }
  end
end
if count > 0 then
  local added, last = 0, nil
  for _, each in ipairs(fresh) do
    local at = 7 + 3 * each
    last = ARGV[at + 2]
    for _, queue in ipairs(queues) do
      redis.call('XADD', prefix .. queue, '*', cmsgpack.unpack(last))
    end
    added = added + number(ARGV[at + 1])
  end
  know(name, ids, fresh, window, most_ids)
  redis.call('HINCRBY', key(name, 'about'), 'sent', count)
  if #queues == 0 then redis.call('HINCRBY', key(name, 'about'), 'unobserved', count) end
  if retains ~= '' then
    redis.call('DEL', key(name, 'retained'))
    redis.call('RPUSH', key(name, 'retained'), cmsgpack.unpack(last))
  end
  for _, queue in ipairs(queues) do
    count_in(queue, count, added)
    bell('message', queue)
  end
end
return { 'sent', count, channel_room(queues, most, most_bytes) }
