-- Writes messages, all or none: full, if there is not room for all that are new.
-- ARGV[9...]: for each message its id, how many texts its fields are, and those.
local name, window, most_ids = ARGV[4], number(ARGV[5]), number(ARGV[6])
local most, most_bytes = number(ARGV[7]), number(ARGV[8])
local ids, places, at = {}, {}, 9
while at <= #ARGV do
  ids[#ids + 1], places[#places + 1] = ARGV[at], at + 2
  at = at + 2 + number(ARGV[at + 1])
end
local fresh = unknown(name, ids)
local count = #fresh
local waiting, bytes = standing(name)
if count > 0 and waiting > 0 and (waiting + count > most or bytes >= most_bytes) then
  return { 'full' }
end
if count > 0 then
  local added, stream = 0, prefix .. name
  places[#places + 1] = at + 2
  for _, each in ipairs(fresh) do
    local first, last = places[each], places[each + 1] - 3
    redis.call('XADD', stream, '*', unpack(ARGV, first, last))
    added = added + size_in(ARGV, first, last)
  end
  know(name, ids, fresh, window, most_ids)
  count_in(name, count, added)
  waiting, bytes = waiting + count, bytes + added
  bell('message', name)
end
return { 'sent', count, room_beside(waiting, bytes, most, most_bytes) }
