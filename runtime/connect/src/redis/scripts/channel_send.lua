-- Writes a copy of each new message for each subscriber that is there, all or none.
-- ARGV[10...]: for each message its id, how many texts its fields are, and those.
local name, window, most_ids = ARGV[4], number(ARGV[5]), number(ARGV[6])
local most, most_bytes, retains = number(ARGV[7]), number(ARGV[8]), ARGV[9]
local messages, new, at = {}, 0, 10
while at <= #ARGV do
  local count, fields = number(ARGV[at + 1]), {}
  for field = 1, count do fields[field] = ARGV[at + 1 + field] end
  messages[#messages + 1] = { ARGV[at], fields }
  if not redis.call('ZSCORE', key(name, 'seen'), ARGV[at]) then new = new + 1 end
  at = at + 2 + count
end
local queues = present(name)
for _, queue in ipairs(queues) do
  local waiting, bytes = standing(queue)
  if new > 0 and waiting > 0 and (waiting + new > most or bytes >= most_bytes) then
    return { 'full' }
  end
end
local sent, last = 0, nil
for _, message in ipairs(messages) do
  if is_new(name, message[1], window, most_ids) then
    for _, queue in ipairs(queues) do put(queue, message[2]) end
    sent, last = sent + 1, message[2]
  end
end
redis.call('HINCRBY', key(name, 'about'), 'sent', sent)
if #queues == 0 then redis.call('HINCRBY', key(name, 'about'), 'unobserved', sent) end
if last and retains ~= '' then
  redis.call('DEL', key(name, 'retained'))
  redis.call('RPUSH', key(name, 'retained'), unpack(last))
end
if sent > 0 then
  for _, queue in ipairs(queues) do bell('message', queue) end
end
return { 'sent', sent, channel_room(queues, most, most_bytes) }
