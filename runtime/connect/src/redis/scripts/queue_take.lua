-- Takes messages out of a queue that are in nobody's hands, and sends them again, if that is asked: with all they
-- had, but for what told why they were set aside. Both happens as one.
-- ARGV[4]: the queue. ARGV[5]: where to, or nothing to remove them. ARGV[6...]: entries.
local name, to, taken = ARGV[4], ARGV[5], 0
local target = to ~= '' and redis.call('HGET', key(to, 'about'), 'kind') or ''
if to ~= '' and target ~= 'queue' and target ~= 'stream' then return { 'none', target or '' } end
for at = 6, #ARGV do
  local id = ARGV[at]
  local found = redis.call('XRANGE', prefix .. name, id, id)[1]
  local holder = owner(name, id)
  if found and (not holder or holder == READY or holder == RESTING) then
    local again = bare(found[2], true)
    if target == 'stream' then
      local partition = number(field(found[2], 'failure-partition')) % partitions_of(to)
      append(to, whole(partition), again)
    elseif target == 'queue' then
      put(to, again)
    end
    redis.call('HINCRBY', key(name, 'about'), 'bytes', -size(found[2]))
    redis.call('ZREM', key(name, 'due'), id)
    end_of(name, { id })
    taken = taken + 1
  end
end
if taken > 0 then
  bell('room', name)
  if to ~= '' then bell('message', to) end
end
return { 'taken', taken }
