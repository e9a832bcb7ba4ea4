-- What has become of deliveries; whoever holds one no more is not heard.
-- ARGV[5]: how many consumers have done with something, and for each its name, how many entries, and those. Then
-- for each of the others the consumer, the entry, what is done with it, how many milliseconds ago, to what (a
-- rest, or a queue), how many texts tell why, and those.
local name, settled, done, late, at = ARGV[4], {}, {}, 0, 6
for _ = 1, number(ARGV[5]) do
  local ids, count = {}, number(ARGV[at + 1])
  for each = 1, count do ids[each] = ARGV[at + 1 + each] end
  done[#done + 1] = { ARGV[at], ids }
  at = at + 2 + count
end
while at <= #ARGV do
  local count, why = number(ARGV[at + 5]), {}
  for text = 1, count do why[text] = ARGV[at + 5 + text] end
  settled[#settled + 1] = { ARGV[at], ARGV[at + 1], ARGV[at + 2], number(ARGV[at + 3]), ARGV[at + 4], why }
  at = at + 6 + count
end
local about = key(name, 'about')
for _, each in ipairs(done) do
  -- What was given to a consumer stays its own until it says something of it, or is given up with all it has.
  local ids, ended = each[2], 0
  if redis.call('ZSCORE', key(name, 'consumers'), each[1]) then
    ended = end_of(name, ids)
    redis.call('HINCRBY', about, 'done', ended)
  end
  late = late + #ids - ended
end
for _, each in ipairs(settled) do
  local consumer, id, what = each[1], each[2], each[3]
  local holder, count = owner(name, id)
  if holder ~= consumer then
    late = late + 1
  elseif what == 'release' then
    local fields = move(name, id, READY, count - 1)
    redis.call('HINCRBY', about, 'bytes', fields and size(fields) or 0)
  elseif what == 'rest' then
    local fields = move(name, id, RESTING, count)
    redis.call('HINCRBY', about, 'bytes', fields and size(fields) or 0)
    redis.call('HINCRBY', about, 'retried', 1)
    redis.call('HSETNX', key(name, 'failed'), id, whole(now - each[4]))
    redis.call('ZADD', key(name, 'due'), whole(now + number(each[5])), id)
  else
    set_aside(name, id, each[5], each[6])
    redis.call('HINCRBY', about, what, 1)
  end
end
bell('settled', name)
return { late }
