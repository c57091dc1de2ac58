-- The dead letters, for the scripts that follow. They are bounded by their number
-- and by their bytes, which a key counts; the oldest go first.

local function size_of(fields)
  local size = 0
  for _, field in ipairs(fields) do size = size + #tostring(field) end
  return size
end

-- remove_dead removes a letter, and returns the bytes that are left.
local function remove_dead(dead, bytes, letter)
  redis.call('XDEL', dead, letter[1])
  if redis.call('XLEN', dead) > 0 then return redis.call('DECRBY', bytes, size_of(letter[2])) end
  redis.call('DEL', dead, bytes)
  return 0
end

-- bury adds a letter, and reports whether there is memory for it. A letter that is
-- larger than all may be is kept alone.
local function bury(dead, bytes, fields, most, most_bytes)
  local added = redis.pcall('XADD', dead, '*', unpack(fields))
  if type(added) == 'table' and added.err then return false end
  local kept = redis.call('INCRBY', bytes, size_of(fields))
  while redis.call('XLEN', dead) > 1 and (kept > most_bytes or redis.call('XLEN', dead) > most) do
    kept = remove_dead(dead, bytes, redis.call('XRANGE', dead, '-', '+', 'COUNT', 1)[1])
  end
  return true
end

