-- Ends an entry: it was handled, or, if it had its last try, goes to the dead
-- letters. It stays where it is while there is no memory for them.
local stream, dead, bytes = KEYS[1], KEYS[2], KEYS[3]
local group, id, tries = ARGV[1], ARGV[2], ARGV[3]
local most, most_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
if tries ~= '' then
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if entry then
    local fields = entry[2]
    fields[#fields + 1] = 'tries'
    fields[#fields + 1] = tries
    if not bury(dead, bytes, fields, most, most_bytes) then return 0 end
  end
end
redis.call('XACK', stream, group, id)
return redis.call('XDEL', stream, id)
