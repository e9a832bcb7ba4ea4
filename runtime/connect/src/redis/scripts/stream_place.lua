-- Where a place is in each partition, and the end of each. ARGV: 4 stream, 5 `start`, `end`, `offset`, `time` or
-- `back`, 6 the offset, the time or how many.
local name, what, value, places = ARGV[4], ARGV[5], number(ARGV[6]), {}
local kind = redis.call('HGET', key(name, 'about'), 'kind')
if kind ~= 'stream' then return { 'other', kind or '' } end
for at = 0, partitions_of(name) - 1 do
  at = whole(at)
  places[#places + 1] = { whole(place(name, at, what, value, next_of(name, at))), whole(next_of(name, at)) }
end
return { 'places', places }
