-- What a consumer holds and does not know of, since an answer was lost, is given back: that delivery does
-- not count. ARGV[6...]: the entries it knows of.
local name, consumer, known = ARGV[4], ARGV[5], {}
for at = 6, #ARGV do known[ARGV[at]] = true end
local from
repeat
  local held = redis.call('XPENDING', prefix .. name, GROUP, from or '-', '+', 500, consumer)
  for _, each in ipairs(held) do
    from = '(' .. each[1]
    if not known[each[1]] then
      local fields = move(name, each[1], READY, number(each[4]) - 1)
      redis.call('HINCRBY', key(name, 'about'), 'bytes', fields and size(fields) or 0)
    end
  end
until #held == 0
return 'ok'
