-- Messages of a queue in their order, which stay as they are: for each its entry, its state, deliveries, until when
-- it rests, and its fields.
-- ARGV[4]: the queue. ARGV[5]: behind this entry, or nothing. ARGV[6]: at most so many.
local name, after, most = ARGV[4], ARGV[5], number(ARGV[6])
local kind = redis.call('HGET', key(name, 'about'), 'kind')
if kind ~= 'queue' then return { 'none', kind or '' } end
sweep(name)
local from, page = after == '' and '-' or '(' .. after, {}
for _, each in ipairs(redis.call('XRANGE', prefix .. name, from, '+', 'COUNT', most)) do
  local holder, count = owner(name, each[1])
  local due = redis.call('ZSCORE', key(name, 'due'), each[1])
  local state = 'leased'
  if due and number(due) > now then
    state = 'delayed'
  elseif not holder or holder == READY or holder == RESTING then
    state = 'ready'
  end
  page[#page + 1] = { each[1], state, whole(count or 0), due or '', each[2] }
end
return { 'found', page }
