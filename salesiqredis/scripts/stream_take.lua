-- Hands out entries: first those that a consumer has left lying for too long,
-- then new ones. An abandoned entry that has had all its tries goes to the dead
-- letters. Returns the cursor to go on from, and an id, a body, the number of
-- this try and a trace for each entry.
local stream, dead, bytes = KEYS[1], KEYS[2], KEYS[3]
local group, consumer, idle, tries = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local wanted, cursor = tonumber(ARGV[5]), ARGV[6]
local most, most_bytes = tonumber(ARGV[7]), tonumber(ARGV[8])

-- try makes the group where it does not exist yet, or no more.
local function try(...)
  local answer = redis.pcall(...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if not string.find(answer.err, 'NOGROUP', 1, true) then error(answer.err) end
  redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
  return redis.call(...)
end

local function field(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return ''
end

local out = {}

local function hand_out(id, fields)
  local pending = redis.call('XPENDING', stream, group, id, id, 1)
  local count = pending[1] and pending[1][4] or 1
  if count <= tries then
    out[#out + 1] = {id, field(fields, 'body'), count, field(fields, 'trace')}
    return
  end
  fields[#fields + 1] = 'tries'
  fields[#fields + 1] = count - 1
  if not bury(dead, bytes, fields, most, most_bytes) then return end -- It is tried again.
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
end

local function claim()
  local claimed = try('XAUTOCLAIM', stream, group, consumer, idle, cursor, 'COUNT', wanted)
  out[1] = claimed[1]
  for _, entry in ipairs(claimed[2]) do
    if entry then hand_out(entry[1], entry[2]) end -- Redis 6.2 tells of deleted ones, too.
  end
end

local function read()
  local missing = wanted - (#out - 1)
  if missing < 1 then return end
  local new = try('XREADGROUP', 'GROUP', group, consumer, 'COUNT', missing, 'STREAMS', stream, '>')
  if not new then return end
  for _, entry in ipairs(new[1][2]) do
    out[#out + 1] = {entry[1], field(entry[2], 'body'), 1, field(entry[2], 'trace')}
  end
end

claim()
read()
return out
