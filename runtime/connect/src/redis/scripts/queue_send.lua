-- Writes messages, all or none: full, if there is not room for all that are new.
-- ARGV[9...]: for each message its id, how long its payload is, and its fields as one text: taken apart here they
-- take the server less than as many arguments.
local name, window, most_ids = ARGV[4], number(ARGV[5]), number(ARGV[6])
local most, most_bytes = number(ARGV[7]), number(ARGV[8])
local ids = {}
for at = 9, #ARGV, 3 do ids[#ids + 1] = ARGV[at] end
local fresh = unknown(name, ids)
local count = #fresh
local waiting, bytes = standing(name)
if count > 0 and waiting > 0 and (waiting + count > most or bytes >= most_bytes) then
  return { 'full' }
end
if count > 0 then
  local added, stream = 0, prefix .. name
  for _, each in ipairs(fresh) do
    local at = 6 + 3 * each
    redis.call('XADD', stream, '*', cmsgpack.unpack(ARGV[at + 2]))
    added = added + number(ARGV[at + 1])
  end
  know(name, ids, fresh, window, most_ids)
  count_in(name, count, added)
  waiting, bytes = waiting + count, bytes + added
  bell('message', name)
end
return { 'sent', count, room_beside(waiting, bytes, most, most_bytes) }
