-- Takes the lock, unless someone has it, and returns its number: each holder has
-- a higher one than those before.
local lock, fence = KEYS[1], KEYS[2]
local owner, milliseconds = ARGV[1], ARGV[2]
if not redis.call('SET', lock, owner, 'NX', 'PX', milliseconds) then return 0 end
return redis.call('INCR', fence)
