-- Takes back entries, as if they had not been handed out to a consumer that did
-- not hear of it. Each comes with the number of that try.
local stream = KEYS[1]
local group, consumer, idle = ARGV[1], ARGV[2], ARGV[3]
for i = 4, #ARGV, 2 do
  local id, try = ARGV[i], tonumber(ARGV[i + 1])
  local pending = redis.call('XPENDING', stream, group, id, id, 1)[1]
  if pending and pending[2] == consumer and pending[4] == try then
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'IDLE', idle, 'RETRYCOUNT', try - 1, 'JUSTID')
  end
end
return 1
