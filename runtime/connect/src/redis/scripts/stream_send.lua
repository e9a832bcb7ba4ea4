-- Writes records, all or none: full, if the slowest group would lag too far behind; other, if the stream has
-- another number of partitions. ARGV[9...]: for each record its id, its partition, how long its payload is, and
-- its fields as one text.
local name, window, most_ids = ARGV[4], number(ARGV[5]), number(ARGV[6])
local partitions, lag = number(ARGV[7]), tonumber(ARGV[8])
if partitions_of(name) ~= partitions then return { 'other', partitions_of(name) } end
local ids = {}
for at = 9, #ARGV, 4 do ids[#ids + 1] = ARGV[at] end
local fresh = unknown(name, ids)
local count = #fresh
if lag and count > 0 then
  local free = stream_room(name, lag)
  if free == 0 or free < count and free < lag then return { 'full' } end
end
if count > 0 then
  local parts, stamp = {}, whole(now)
  for _, each in ipairs(fresh) do
    local at = 5 + 4 * each
    local part = ARGV[at + 1]
    parts[part] = parts[part] or { next_of(name, part), 0, 0 }
    local own = parts[part]
    redis.call('XADD', records_of(name, part), whole(own[1] + own[2] + 1) .. '-0', 'pf_at', stamp,
      cmsgpack.unpack(ARGV[at + 3]))
    own[2], own[3] = own[2] + 1, own[3] + number(ARGV[at + 2])
  end
  know(name, ids, fresh, window, most_ids)
  for part, own in pairs(parts) do count_records(name, part, own[2], own[3]) end
  redis.call('HINCRBY', key(name, 'about'), 'sent', count)
  bell('message', name)
end
return { 'sent', count, 0 }
