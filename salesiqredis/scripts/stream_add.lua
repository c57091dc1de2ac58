-- Adds an event, unless it has been added before, which a mark remembers for a
-- while. Either way something is written, which replicas can be waited for.
local stream, mark = KEYS[1], KEYS[2]
local event, body, trace, memory, group = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local known = redis.call('GET', mark)
if known then
  redis.call('PEXPIRE', mark, memory)
  return known
end
-- Those who read it may come when there is no memory to make the group.
if redis.call('EXISTS', stream) == 0 then redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM') end
local fields = {'event', event, 'body', body}
if trace ~= '' then fields = {'event', event, 'body', body, 'trace', trace} end
local id = redis.call('XADD', stream, '*', unpack(fields))
redis.call('SET', mark, id, 'PX', memory)
return id
