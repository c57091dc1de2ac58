-- Takes the lock, unless someone else has it, and notes who had it last.
local lock, last = KEYS[1], KEYS[2]
local owner, milliseconds = ARGV[1], ARGV[2]
if not redis.call('SET', lock, owner, 'NX', 'PX', milliseconds) and redis.call('GET', lock) ~= owner then return 0 end
redis.call('SET', last, owner)
return 1
