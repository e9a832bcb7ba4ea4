-- Records of a partition from one offset to before another, at most so many.
local name, at, from, stop, most = ARGV[4], ARGV[5], number(ARGV[6]), number(ARGV[7]), number(ARGV[8])
local records, bytes = {}, 0
if from >= stop then return records end
local found = redis.call('XRANGE', records_of(name, at), whole(from + 1) .. '-0', whole(stop) .. '-0',
  'COUNT', most)
for _, each in ipairs(found) do
  bytes = bytes + size(each[2])
  records[#records + 1] = { whole(offset_of(each[1])), each[2] }
  if bytes > 4194304 then break end
end
return records
