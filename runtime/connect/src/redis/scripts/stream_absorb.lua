-- What others have written under the name of a stream gets its place in a partition. ARGV[5...]: for each the
-- entry and the partition.
local name, taken = ARGV[4], 0
for at = 5, #ARGV, 2 do
  local found = redis.call('XRANGE', prefix .. name, ARGV[at], ARGV[at])[1]
  if found then
    append(name, ARGV[at + 1], found[2])
    redis.call('XDEL', prefix .. name, ARGV[at])
    taken = taken + 1
  end
end
if taken > 0 then bell('message', name) end
return taken
