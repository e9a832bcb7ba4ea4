-- Removes the oldest records that are kept no longer, at most some; tells whether there may be more.
local name, age, most_bytes, most = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local about, count = key(name, 'about'), partitions_of(name)
local records, bytes = 0, 0
for at = 0, count - 1 do
  records = records + number(redis.call('HGET', about, 'records:' .. at))
  bytes = bytes + number(redis.call('HGET', about, 'bytes:' .. at))
end
local heads = {}
local function look(at)
  local offset, written_at = first_of(name, whole(at))
  heads[at] = offset and { offset, written_at }
end
for at = 0, count - 1 do look(at) end
for _ = 1, 500 do
  local oldest
  for at = 0, count - 1 do
    if heads[at] and (not oldest or heads[at][2] < heads[oldest][2]) then oldest = at end
  end
  if not oldest then return 0 end
  local is_old = age and heads[oldest][2] + age <= now
  if not is_old and not (most and records > most) and not (most_bytes and bytes > most_bytes) then
    return 0
  end
  local fields = record_at(name, whole(oldest), heads[oldest][1])
  records, bytes = records - 1, bytes - size(fields)
  remove(name, whole(oldest), heads[oldest][1])
  look(oldest)
end
return 1
