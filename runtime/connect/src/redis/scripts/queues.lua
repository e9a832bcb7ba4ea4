-- How queues are doing, one or all: for each its name, messages, those in hands, those that rest, bytes, when the
-- oldest was written, and counts in the order in which they are asked for.
-- ARGV[4]: the queue, or nothing for all. ARGV[5...]: counts.
local wanted, names, queues = ARGV[4], { ARGV[4] }, {}
if wanted == '' then names = redis.call('SMEMBERS', prefix .. 'paperflow:connectors') end
table.sort(names)
for _, name in ipairs(names) do
  local about = key(name, 'about')
  local kind = redis.call('HGET', about, 'kind')
  if wanted ~= '' and kind ~= 'queue' then return { 'none', kind or '' } end
  if kind == 'queue' then
    sweep(name)
    local waiting, bytes, held = standing(name)
    local first = redis.call('XRANGE', prefix .. name, '-', '+', 'COUNT', 1)[1]
    local queue = { name, waiting, held, redis.call('ZCARD', key(name, 'due')), bytes,
      first and whole(now - number(string.match(first[1], '^(%d+)'))) or '' }
    for at = 5, #ARGV do queue[#queue + 1] = number(redis.call('HGET', about, ARGV[at])) end
    queues[#queues + 1] = queue
  end
end
return { 'found', queues }
