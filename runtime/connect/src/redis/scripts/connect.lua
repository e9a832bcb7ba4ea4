-- Makes a connector if it is not there, and keeps its declaration; tells what it is if it is another kind.
local name, kind, declaration = ARGV[4], ARGV[5], ARGV[6]
local about = key(name, 'about')
local known = redis.call('HGET', about, 'kind')
if known and known ~= kind then return { 'other', known } end
redis.call('SADD', prefix .. 'paperflow:connectors', name)
redis.call('HSET', about, 'kind', kind, 'declaration', declaration)
if kind == 'queue' then
  local failed = make_queue(name)
  if failed then return failed end
end
return { 'made' }
