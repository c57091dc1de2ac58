-- Stores a token. What comes from an owner of the lock is not stored if someone
-- has taken the lock since, or has stored a token without it.
local token, last = KEYS[1], KEYS[2]
local sealed, owner = ARGV[1], ARGV[2]
local newer = redis.call('GET', last)
if owner == '' then
  redis.call('SET', last, owner)
elseif newer and newer ~= owner then
  return 0
end
redis.call('SET', token, sealed)
return 1
