-- Writes records, all or none: full, if the slowest group would lag too far behind; other, if the stream has
-- another number of partitions. ARGV[9...]: for each record its id, its partition, how many texts its
-- fields are, and those.
local name, window, most_ids = ARGV[4], number(ARGV[5]), number(ARGV[6])
local partitions, lag = number(ARGV[7]), tonumber(ARGV[8])
if partitions_of(name) ~= partitions then return { 'other', partitions_of(name) } end
local records, new, at = {}, 0, 9
while at <= #ARGV do
  local count, fields = number(ARGV[at + 2]), {}
  for each = 1, count do fields[each] = ARGV[at + 2 + each] end
  records[#records + 1] = { ARGV[at], ARGV[at + 1], fields }
  if not redis.call('ZSCORE', key(name, 'seen'), ARGV[at]) then new = new + 1 end
  at = at + 3 + count
end
if lag and new > 0 then
  local free = stream_room(name, lag)
  if free == 0 or free < new and free < lag then return { 'full' } end
end
local sent = 0
for _, record in ipairs(records) do
  if is_new(name, record[1], window, most_ids) then
    append(name, record[2], record[3])
    sent = sent + 1
  end
end
redis.call('HINCRBY', key(name, 'about'), 'sent', sent)
if sent > 0 then bell('message', name) end
return { 'sent', sent, 0 }
