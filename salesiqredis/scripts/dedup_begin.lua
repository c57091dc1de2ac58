-- Claims an event if it is free, and returns what it was: 0 for free, 1 for
-- claimed, 2 for done. Clients may send it twice.
local event, owner, milliseconds = KEYS[1], ARGV[1], ARGV[2]
local mark = redis.call('GET', event)
if mark == 'done' then return 2 end
if mark and mark ~= owner then return 1 end
redis.call('SET', event, owner, 'PX', milliseconds)
return 0
