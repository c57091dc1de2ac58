-- Ends an entry: it was handled, or, if it had its last try, goes to the dead
-- letters.
local stream, dead = KEYS[1], KEYS[2]
local group, id, tries, kept = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if tries ~= '' then
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if entry then
    local fields = entry[2]
    fields[#fields + 1] = 'tries'
    fields[#fields + 1] = tries
    redis.call('XADD', dead, 'MAXLEN', '~', kept, '*', unpack(fields))
  end
end
redis.call('XACK', stream, group, id)
return redis.call('XDEL', stream, id)
