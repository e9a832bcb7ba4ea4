-- A record that failed is copied: to where it is set aside, or to a delay stream, from which it comes back.
-- ARGV: 4 stream, 5 group, 6 consumer, 7 partition, 8 epoch, 9 offset, 10 `aside` or `delay`, 11 where to, 12
-- attempt, 13 how long it rests, 14 since when it has failed, 15... why.
local name, group, part, offset = ARGV[4], ARGV[5], ARGV[7], number(ARGV[9])
local state, to = of_group(name, group, 'state'), ARGV[11]
if redis.call('HGET', state, 'owner:' .. part) ~= ARGV[6]
  or redis.call('HGET', state, 'epoch:' .. part) ~= ARGV[8] then
  return { 'late' }
end
if redis.call('ZADD', of_group(name, group, 'copied:' .. part), 'NX', offset, ARGV[9]) == 0 then
  return { 'known' }
end
local fields = record_at(name, part, offset)
if not fields then return { 'gone' } end
local why, first = {}, tonumber(ARGV[14]) or now
for at = 15, #ARGV do why[#why + 1] = ARGV[at] end
if ARGV[10] == 'aside' then
  put_aside(to, bare(fields), why, first, part)
  return { 'copied' }
end
make_stream(to)
local copy = bare(fields)
for at = 1, #why do copy[#copy + 1] = why[at] end
local via_at = whole(number(part) % partitions_of(to))
local via_offset = append(to, via_at, copy)
bell('message', to)
local place = table.concat({ part, whole(number(ARGV[12]) + 1), via_at, whole(via_offset), to }, ' ')
redis.call('ZADD', of_group(name, group, 'delayed'), whole(now + number(ARGV[13])), place)
return { 'copied' }
