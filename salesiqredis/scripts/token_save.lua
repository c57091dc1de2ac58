-- Stores a token, unless someone has locked since the number was given out.
local token, fence = KEYS[1], KEYS[2]
local sealed, number = ARGV[1], ARGV[2]
if number ~= '' and redis.call('GET', fence) ~= number then return 0 end
redis.call('SET', token, sealed)
return 1
