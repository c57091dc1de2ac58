-- Deletes dead letters that are older than a time.
local dead, bytes = KEYS[1], KEYS[2]
local letters = redis.call('XRANGE', dead, '-', '(' .. ARGV[1] .. '-0', 'COUNT', ARGV[2])
for _, letter in ipairs(letters) do remove_dead(dead, bytes, letter) end
return #letters
