-- Makes a connector if it is not there, and keeps its declaration; tells what it is if it is another kind.
local name, kind, declaration, partitions = ARGV[4], ARGV[5], ARGV[6], number(ARGV[7])
local about = key(name, 'about')
local known = redis.call('HGET', about, 'kind')
if known and known ~= kind then return { 'other', known } end
if kind == 'stream' and partitions_of(name) > partitions then return { 'fewer', partitions_of(name) } end
redis.call('SADD', prefix .. 'paperflow:connectors', name)
redis.call('HSET', about, 'kind', kind, 'declaration', declaration)
if kind == 'queue' then
  local failed = make_queue(name)
  if failed then return failed end
end
if kind == 'stream' then redis.call('HSET', about, 'partitions', partitions) end
return { 'made' }
