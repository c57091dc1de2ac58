-- The accounting of internal/quota, for all processes of an organization at
-- once. Functions are named as they are there. Times are microseconds; those of
-- this server are the caller's own clock there.

local quota, leases, processes, line = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local op, process = ARGV[1], ARGV[2]
local plan, per_day, most, lease_time = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local wanted, ended, first_of_report = ARGV[7], ARGV[8], 9

local second = 1000000
local minute, hour, day = 60 * second, 3600 * second, 86400 * second
local patience = 3 * second
local seen_for = 120 * second  -- A process that is silent for longer is gone,
local wants_for = second / 4   -- and one that asks no more does not wait for a slot.
local kept_for = 172800000     -- Milliseconds.

local function whole(n) return string.format('%.0f', n) end

-- The state: numbers by name. What is not there is zero.
local s = setmetatable({}, {__index = function() return 0 end})
local stored = redis.call('HGETALL', quota)
for i = 1, #stored, 2 do s[stored[i]] = tonumber(stored[i + 1]) end

-- Where the clock is set back, or a replica with a later one takes over, time
-- goes on from where it was.
local time = redis.call('TIME')
local now = tonumber(time[1]) * second + tonumber(time[2]) + s.lag
if now < s.now then s.lag, now = s.lag + s.now - now, s.now end
s.now = now

local under = redis.call('ZCARD', leases)
if s.open == 0 or s.open > most then s.open = most end

local function save()
  local fields = {}
  for name, value in pairs(s) do
    fields[#fields + 1] = name
    fields[#fields + 1] = whole(value)
  end
  redis.call('HSET', quota, unpack(fields))
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, kept_for) end
end

-- The window.

local function window_free()
  local free = math.huge
  if s.limit > 0 then free = s.limit - s.own - s.others end
  if plan > 0 then free = math.min(free, plan - s.own) end
  return free
end

local function size()
  if s.limit > 0 and plan > 0 then return math.min(s.limit, plan) end
  return math.max(s.limit, plan)
end

local function probing() return s.probed == 0 and s.probe > 0 and now < s.probe + patience end

local function next_window(own)
  s.epoch = s.epoch + 1
  s.seen, s.window_end = 0, 0
  s.own, s.others, s.blind = own, 0, 0
  s.probe, s.probed = 0, 0
end

local function is_reset(reset) return math.abs(reset - s.reset) <= second end

local function is_over(reset)
  return s.reset > 0 and (reset < s.reset or s.seen == 0) and reset <= s.reset + second
end

local function bound(a)
  if not a.dated then return now + minute end
  local within = a.within
  if s.aligned == 0 then within = within + second end
  if within <= minute + 2 * second then within = math.min(within, minute) end
  return now + within
end

local function end_probe(a)
  if a.epoch ~= s.epoch then return end
  if a.answered then
    s.probed = 1
  elseif a.probe then
    s.probe = 0
  end
end

local function settle_blind(a)
  if not a.refused then s.blind = s.blind + 1 end
  if s.seen == 0 and size() > 0 then s.window_end = now + minute end
end

local function learn_kind(a)
  local first = a.probe and a.epoch == s.epoch and s.own == 1
  local untouched = a.known and a.remaining == a.limit - 1 and a.dated and a.within < minute - 2 * second
  if s.cut == 1 then
    s.aligned = 0
  elseif first and untouched then
    s.aligned = 1
  end
end

local function identify(a)
  if s.seen == 1 then
    local ended = s.blind + 1
    next_window(under + ended)
    if a.known then s.others = math.max(0, a.limit - a.remaining - ended) end
  elseif is_reset(a.reset) and a.epoch == s.epoch then
    s.cut = 1
  end
  learn_kind(a)
  s.seen, s.reset = 1, a.reset
  if a.known then s.probed = 1 end
  s.window_end = bound(a)
end

local function attribute(a)
  if a.reset == 0 then
    settle_blind(a)
  elseif s.seen == 1 and is_reset(a.reset) then
    s.window_end = math.min(s.window_end, bound(a))
  elseif a.epoch < s.epoch and is_over(a.reset) then
    return false
  else
    identify(a)
  end
  return true
end

local function settle(a)
  end_probe(a)
  if a.known then s.limit = a.limit end
  if not a.sent or not attribute(a) then
    s.own = s.own - 1
    return false
  end
  if a.refused then s.own = s.own - 1 end
  if a.known and (not a.throttled or a.reset > 0) then
    s.others = math.max(s.others, s.limit - a.remaining - s.own)
  end
  return true
end

-- The day, and the service's clock.

local function day_free()
  if per_day == 0 then return math.huge end
  return per_day - s.day_used
end

local function midnight() return now + day - (now + s.ahead) % day end

local function read_clock(a)
  if a.date > 0 then
    local ahead = a.date - now
    if s.clock_known == 0 or math.abs(ahead - s.ahead) > 2 * second then s.ahead, s.clock_moved = ahead, 1 end
    s.clock_known = 1
  end
  if a.reset == 0 then return end
  a.within = a.reset - a.date
  if a.date == 0 then a.within = a.reset - now - s.ahead end
  if s.clock_known == 0 then
    if a.throttled and a.within < -second then s.clock_doubted = 1 end
    a.dated = s.clock_doubted == 0 and a.within > 0 and a.within <= minute + 2 * second
    return
  end
  if a.within < 0 or a.within > hour then
    a.within, a.reset = 0, 0
    return
  end
  a.dated = true
end

local function follow()
  if per_day == 0 or s.clock_moved == 0 then return end
  local ends = midnight()
  if ends - s.day_end > day / 2 then s.day_used = under + 1 end -- It is past midnight there.
  s.day_end, s.clock_moved = ends, 0
end

-- Calls at once, and pauses.

local function shrink(a)
  if a.number <= s.shrunk then return end
  s.open, s.good, s.shrunk = math.max(1, math.floor(s.open / 2)), 0, s.calls
end

local function grow()
  if s.open >= most then return end
  s.good = s.good + 1
  if s.good >= s.open then s.open, s.good = s.open + 1, 0 end
end

local function pause(a)
  if a.number <= s.pause_started then return end
  s.pause_last = math.min(minute, math.max(second, 2 * s.pause_last))
  s.pause_started = s.calls
  s.pause_until = math.max(s.pause_until, now + s.pause_last)
end

local function throttle(a)
  local explained = a.known and (a.remaining > 0 or a.reset > 0)
  if a.remaining > 0 or not explained then shrink(a) end
  if a.retry_in >= 0 then
    s.pause_until = math.max(s.pause_until, now + a.retry_in)
  elseif not explained then
    pause(a)
  end
end

-- The account.

local function roll()
  if s.window_end > 0 and now >= s.window_end then next_window(under) end
  if per_day == 0 then return end
  if s.day_end == 0 then
    s.day_end = midnight()
  elseif now >= s.day_end then
    s.day_end, s.day_used = midnight(), under
  end
end

local function ready()
  return (most == 0 or under < s.open) and now >= s.pause_until and not probing() and
    window_free() > 0 and day_free() > 0
end

-- find returns a lease, of which the name that it was asked for by is enough. Who
-- did not hear the answer does not know more, and asks again, or gives it back.
local function find(name)
  for _, lease in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
    if string.find(lease, name, 1, true) then return lease end
  end
end

-- start returns what a lease is remembered by: the receipt that quota.Call is.
local function start()
  s.calls, s.day_used, s.own = s.calls + 1, s.day_used + 1, s.own + 1
  local probe = 0
  if s.probed == 0 and s.probe == 0 then probe, s.probe = 1, now end
  local lease = table.concat({whole(s.calls), whole(s.epoch), probe, wanted, process}, ':')
  redis.call('ZADD', leases, whole(now + lease_time), lease)
  under = under + 1
  return lease
end

local function finish(name, a)
  local lease = find(name)
  if not lease then return end -- It has expired, and was counted then.
  redis.call('ZREM', leases, lease)
  local number, epoch, probe = string.match(lease, '^(%d+):(%d+):(%d)')
  a.number, a.epoch, a.probe = tonumber(number), tonumber(epoch), probe == '1'
  a.dated, a.within = false, 0
  roll()
  under = under - 1
  read_clock(a)
  follow()
  if not a.sent or a.refused then s.day_used = s.day_used - 1 end
  if not settle(a) or not a.answered then return end
  if a.throttled then
    throttle(a)
  else
    grow()
    s.pause_last = 0
  end
end

-- earliest returns the time before which no call can be started, and whether it
-- is the day's limit that forbids it.
local function earliest()
  local at, daily = math.max(now, s.pause_until), 0
  if window_free() <= 0 and s.window_end > 0 then at = math.max(at, s.window_end) end
  if day_free() <= 0 and s.day_end > at then at, daily = s.day_end, 1 end
  return at, daily
end

-- What the accounting of a single process need not know.

-- expire ends the leases whose holders did not: their calls may have been made.
local function expire()
  for _, lease in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', whole(now))) do
    finish(lease, {sent = true, reset = 0, date = 0, remaining = 0, retry_in = -1})
  end
end

-- room reports whether there is a slot for this process. Those that wait for one
-- share evenly: who has less than its share takes any, and who has not leaves
-- one to each of the others that have less.
local function room()
  if most == 0 then return true end
  local waiting = redis.call('ZRANGEBYSCORE', line, whole(now - wants_for), '+inf')
  local held = setmetatable({}, {__index = function() return 0 end})
  for _, lease in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
    local holder = string.match(lease, ':([^:]*)$')
    held[holder] = held[holder] + 1
  end
  local others = 0
  for _, other in ipairs(waiting) do
    if other ~= process then others = others + 1 end
  end
  local share, needy = math.max(1, math.floor(s.open / (others + 1))), 0
  if held[process] >= share then
    for _, other in ipairs(waiting) do
      if other ~= process and held[other] < share then needy = needy + 1 end
    end
  end
  return under + needy < s.open
end

local function seen()
  redis.call('ZADD', processes, whole(now), process)
  redis.call('ZREMRANGEBYSCORE', processes, '-inf', whole(now - seen_for))
  return redis.call('ZCARD', processes)
end

-- outlook is what everybody is told: whether a call could be started now, from
-- when on one can be if not, as far as that is known, how many processes there
-- are, the limit of a window, and what is left of the day, and of its calls.
local function outlook(lease)
  local at, daily = earliest()
  local left = per_day == 0 and 0 or math.max(0, day_free())
  return {lease, ready() and room() and 1 or 0, at - now, daily, seen(), size(), s.day_end - now, left}
end

local function acquire()
  redis.call('ZREM', line, process)
  local held = find(wanted)
  if held then return held end
  if ready() and room() then return start() end
  if earliest() <= now then redis.call('ZADD', line, whole(now), process) end
  return ''
end

local function report()
  local function number(i) return tonumber(ARGV[first_of_report + i]) end
  local function flag(i) return ARGV[first_of_report + i] == '1' end
  return {
    sent = flag(0), answered = flag(1), refused = flag(2), throttled = flag(3), known = flag(4),
    limit = number(5), remaining = number(6), reset = number(7), date = number(8), retry_in = number(9),
  }
end

expire()
roll()
local lease = ''
if op == 'done' or op == 'next' then finish(ended, report()) end
if op == 'acquire' or op == 'next' then lease = acquire() end
local answer = outlook(lease)
save()
return answer
