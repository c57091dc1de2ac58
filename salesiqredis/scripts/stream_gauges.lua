-- Counts events and dead letters.
local stream, dead, bytes = KEYS[1], KEYS[2], KEYS[3]
local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
return {
  redis.call('XLEN', stream), oldest and oldest[1] or '', redis.call('XLEN', dead),
  tonumber(redis.call('GET', bytes) or 0),
}
