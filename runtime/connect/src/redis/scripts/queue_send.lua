-- Writes messages, all or none: full, if there is not room for all that are new.
-- ARGV[9...]: for each message its id, how many texts its fields are, and those.
local name, window, most_ids = ARGV[4], number(ARGV[5]), number(ARGV[6])
local most, most_bytes = number(ARGV[7]), number(ARGV[8])
local messages, new, at = {}, 0, 9
while at <= #ARGV do
  local count, fields = number(ARGV[at + 1]), {}
  for field = 1, count do fields[field] = ARGV[at + 1 + field] end
  messages[#messages + 1] = { ARGV[at], fields }
  if not redis.call('ZSCORE', key(name, 'seen'), ARGV[at]) then new = new + 1 end
  at = at + 2 + count
end
local waiting, bytes = standing(name)
if new > 0 and waiting > 0 and (waiting + new > most or bytes >= most_bytes) then
  return { 'full' }
end
local sent = 0
for _, message in ipairs(messages) do
  if is_new(name, message[1], window, most_ids) then
    put(name, message[2])
    sent = sent + 1
  end
end
if sent > 0 then bell('message', name) end
return { 'sent', sent, room(name, most, most_bytes) }
