-- The accounting of internal/quota, for all processes of an organization at
-- once. Times are microseconds; those of this server are the caller's own clock
-- there. Functions and fields are named as they are there, but for these:
--
--   here                               there
--   s.stage, s.counting, s.begins_by   the same, as numbers in the order of the constants
--   s.reset, s.current                 mark
--   s.window_end, begins_by_end        window.end, beginsBy.end
--   places, the hash recent            recent.calls
--   within                             callEnd.in, which is a keyword here

local quota, leases, processes, line, recent = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local process = ARGV[1] -- Empty for someone who only looks.
local plan, per_day, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lease_time, max_wait = tonumber(ARGV[5]), tonumber(ARGV[6])
local first_message = 7

local second = 1000000
local minute, hour, day = 60 * second, 3600 * second, 86400 * second
local probe_wait = 3 * second
local seen_for = 120 * second  -- A process that is silent for longer is gone,
local asks_for = second / 2    -- and one that hears nothing and asks no more does not wait.
local kept_for = 172800000     -- Milliseconds.

local function whole(n) return string.format('%.0f', n) end

-- The state: numbers by name. What is not there is zero. What was stored before is
-- not stored again.
local s, old = setmetatable({}, {__index = function() return 0 end}), {}
local stored = redis.call('HGETALL', quota)
for i = 1, #stored, 2 do
  local name, value = stored[i], tonumber(stored[i + 1])
  s[name], old[name] = value, value
end

-- Where the clock is set back, or a replica with a later one takes over, time
-- goes on from where it was.
local time = redis.call('TIME')
local now = tonumber(time[1]) * second + tonumber(time[2]) + s.lag
if now < s.now then s.lag, now = s.lag + s.now - now, s.now end
s.now = now

local under_way = redis.call('ZCARD', leases)
local waiting = redis.call('ZCARD', line)
if s.open == 0 or s.open > most then s.open = most end

-- keep lets a key end when nobody has called for long. All are kept anew each hour,
-- and each when it comes into being.
local function keep(key) redis.call('PEXPIRE', key, kept_for) end

local function save()
  local begins = now - s.kept > hour
  if begins then s.kept = now end
  local fields = {}
  for name, value in pairs(s) do
    if value ~= old[name] then
      fields[#fields + 1] = name
      fields[#fields + 1] = whole(value)
    end
  end
  if #fields > 0 then redis.call('HSET', quota, unpack(fields)) end
  if begins then
    for _, key in ipairs(KEYS) do keep(key) end
  end
end

-- The calls that ended within the last minute, by the second.

local places = 61

local function drop_expired()
  if s.recent_from == 0 then s.recent_from = now end
  local at = math.floor((now - s.recent_from) / second)
  if at <= s.recent_second then return end
  if s.recent > 0 then
    for passed = math.max(s.recent_second, at - places) + 1, at do
      local place = whole((passed - 60) % places)
      s.recent = s.recent - (tonumber(redis.call('HGET', recent, place)) or 0)
      redis.call('HDEL', recent, place)
    end
  end
  s.recent_second = at
end

local function add()
  local place = whole(math.ceil((now - s.recent_from) / second) % places)
  if redis.call('HINCRBY', recent, place, 1) == 1 then keep(recent) end
  s.recent = s.recent + 1
end

local function lasting()
  local n = s.recent
  for at = s.recent_second + 1, s.recent_second + 4 do
    n = n - (tonumber(redis.call('HGET', recent, whole((at - 60) % places))) or 0)
  end
  return n
end

local function expiry(n)
  local at = s.recent_second + 1 - 60
  while true do
    local calls = tonumber(redis.call('HGET', recent, whole(at % places))) or 0
    if n < calls then return s.recent_from + (at + 60) * second end
    n, at = n - calls, at + 1
  end
end

-- The window.

local fresh, probing, probed = 0, 1, 2
local untold, ending, sliding = 0, 1, 2
local unclear, by_clock, by_a_call = 0, 1, 2

local function ends() return s.counting == ending end

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

local function probe_start()
  if s.stage == fresh then s.stage, s.probe_until = probing, now + probe_wait end
end

local function probe_holds() return s.stage == probing and now < s.probe_until end

local function probe_note(a)
  if a.answered then
    s.stage = probed
  elseif a.probe and s.stage == probing then
    s.stage = fresh
  end
end

local function next_window(own)
  s.epoch = s.epoch + 1
  s.own, s.others = own, 0
  s.stage, s.current, s.window_end = fresh, 0, 0
end

local function moved(a) return a.reset - s.reset end

local function matches(a) return math.abs(moved(a)) <= second end

local function moves_early(a) return moved(a) > second and moved(a) < minute - 2 * second end

local function counted(a)
  if a.refused then return a.limit - a.remaining end
  return a.limit - a.remaining - 1
end

local function is_first(a) return a.probe and a.epoch == s.epoch end

local function begins_by_learn(a, first, same_as_before)
  local first_of_all = first and a.known and a.remaining == a.limit - 1
  local some_is_gone = a.trusted and a.within < minute - 2 * second
  if same_as_before then
    s.begins_by = by_a_call
  elseif s.begins_by == unclear and first_of_all and some_is_gone then
    s.begins_by = by_clock
  end
end

local function begins_by_end(a)
  if not a.trusted then return now + minute end
  local within = a.within
  if s.begins_by ~= by_clock then within = within + second end
  if within <= minute + 2 * second then within = math.min(within, minute) end
  return now + within
end

local function begin_early(a)
  local known = s.recent + s.others
  next_window(under_way + 1)
  if not a.known then return end
  s.others = math.max(0, counted(a))
  if s.others <= under_way then s.others = math.min(s.others, known) end
end

local function identify(a)
  begins_by_learn(a, is_first(a), matches(a))
  s.counting, s.reset, s.current = ending, a.reset, 1
  s.window_end = begins_by_end(a)
  if a.known then s.stage = probed end
end

local function remembers(a)
  local old = counted(a) - under_way
  if moves_early(a) then
    local shorter = s.forgot > 0 and now - s.forgot < minute
    return not shorter and old > 0 and counted(a) <= 2 * (s.recent + under_way)
  elseif moved(a) > second or is_first(a) and not a.trusted then
    return 3 * math.min(old, s.recent) >= a.limit
  end
  return s.current == 0 and matches(a) and old > 0 and 2 * counted(a) < s.recent
end

local function slide()
  local taken = s.own + s.others
  s.own = under_way + 1 + s.recent
  s.others = math.max(0, taken - s.own)
  s.counting = sliding
end

local function learn_counting(a)
  if not a.known or s.counting == untold then return end
  local moves_on = moved(a) > second
  if moves_on and 2 * counted(a) < lasting() then
    if s.counting == sliding then s.counting, s.current = ending, 1 end
    if moves_early(a) then s.forgot = now end
  elseif ends() and remembers(a) then
    slide()
  end
  if s.counting == sliding and moves_on then s.reset = a.reset end
end

local function window_follow(a)
  if s.counting == sliding then
    return true
  elseif a.reset == 0 then
    if s.current == 0 then s.counting = untold end
  elseif s.current == 1 and matches(a) then
    s.window_end = math.min(s.window_end, begins_by_end(a))
  elseif a.epoch < s.epoch and moved(a) <= second then
    return false
  elseif s.current == 0 then
    identify(a)
  else
    begin_early(a)
    identify(a)
  end
  return true
end

local function count_others(a)
  if a.throttled and a.reset == 0 and (ends() or s.own == under_way) then return end
  local others = math.max(0, s.limit - a.remaining - s.own)
  if ends() then
    s.others = math.max(s.others, others)
  elseif others >= s.others then
    s.others, s.window_end = others, now + minute
  end
end

local function settle(a)
  local current = false
  if a.epoch == s.epoch then probe_note(a) end
  if a.known then s.limit = a.limit end
  if a.sent then
    learn_counting(a)
    current = window_follow(a)
    if not a.refused then add() end
  end
  if not current or a.refused then s.own = s.own - 1 end
  if current and a.known then count_others(a) end
  return current
end

local function place_after(n, ended)
  local at, places = 0, s.own + math.max(0, window_free())
  if places > 0 then
    local place = n % places
    if place < ended then
      at = expiry(s.recent - ended + place)
    else
      at = place < s.own and now or now + minute
    end
    at = at + math.floor(n / places) * minute
  end
  if s.others > 0 and (at <= now or s.window_end < at) then return s.window_end end
  return at
end

local function window_earliest(ahead)
  local free = window_free()
  if ahead < free or size() == 0 then return now end
  if not ends() then return place_after(ahead - free, s.own - under_way) end
  return s.window_end + math.floor((ahead - math.max(0, free)) / size()) * minute
end

-- The day, and the service's clock.

local function day_free()
  if per_day == 0 then return math.huge end
  return per_day - s.day_used
end

local function midnight() return now + day - (now + s.offset) % day end

local function read_clock(a)
  if a.date > 0 then
    local least, most = a.date - now, a.date - a.began
    if s.clock_known == 0 or s.offset < least - 2 * second or s.offset > most + 2 * second then
      s.offset, s.clock_moved = least, 1
    end
    s.clock_known = 1
  end
  if a.reset == 0 then return end
  a.within = a.reset - a.date
  if a.date == 0 then a.within = a.reset - now - s.offset end
  if s.clock_known == 0 then
    if a.throttled and a.within < -second then s.clock_doubted = 1 end
    a.trusted = s.clock_doubted == 0 and a.within > 0 and a.within <= minute + 2 * second
    return
  end
  if a.within < 0 or a.within > hour then
    a.within, a.reset = 0, 0
    return
  end
  a.trusted = true
end

local function day_follow()
  if per_day == 0 or s.clock_moved == 0 then return end
  local ends_at = midnight()
  if ends_at - s.day_end > day / 2 then s.day_used = under_way + 1 end -- It is past midnight there.
  s.day_end, s.clock_moved = ends_at, 0
end

-- Calls at once, and pauses.

local function shrink() s.open, s.passed = math.max(1, math.floor(s.open / 2)), 0 end

local function slots_grow()
  if s.open >= most then return end
  s.passed = s.passed + 1
  if s.passed >= s.open then s.open, s.passed = s.open + 1, 0 end
end

local function pause_grow()
  s.pause_last = math.min(minute, math.max(second, 2 * s.pause_last))
  s.pause_until = math.max(s.pause_until, now + s.pause_last)
end

local function throttle(a)
  if a.retry_in >= 0 then s.pause_until = math.max(s.pause_until, now + a.retry_in) end
  local window_is_spent = a.known and a.remaining == 0 and a.reset > 0
  if window_is_spent or a.number <= s.heeded then return end
  s.heeded = s.calls
  shrink()
  if a.remaining == 0 and a.retry_in < 0 then pause_grow() end
end

-- The account.

local function roll()
  drop_expired()
  local carried = under_way
  if not ends() then
    s.own = math.min(s.own, under_way + s.recent)
    carried = s.own
  end
  if s.window_end > 0 and now >= s.window_end then next_window(carried) end
  if per_day == 0 then return end
  if s.day_end == 0 then
    s.day_end = midnight()
  elseif now >= s.day_end then
    s.day_end, s.day_used = midnight(), under_way
  end
end

local function ready()
  return (most == 0 or under_way < s.open) and now >= s.pause_until and not probe_holds() and
    window_free() > 0 and day_free() > 0
end

-- find returns a lease by its ticket, or by itself. Who did not hear the answer
-- does not know more than the ticket.
local function find(name)
  for _, lease in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
    if lease == name or string.sub(lease, -#name - 1) == ':' .. name then return lease end
  end
end

-- receipt is what the lease of the next call is remembered by: the receipt that
-- quota.Call is, and the ticket of the call.
local function receipt(ticket)
  return table.concat({whole(s.calls + 1), whole(now), whole(s.epoch), s.stage == fresh and 1 or 0, ticket}, ':')
end

local function start(ticket)
  local lease = receipt(ticket)
  s.calls, s.day_used, s.own = s.calls + 1, s.day_used + 1, s.own + 1
  probe_start()
  redis.call('ZADD', leases, whole(now + lease_time), lease)
  if under_way == 0 then keep(leases) end
  under_way = under_way + 1
  return lease
end

local function finish(name, a)
  local lease = find(name)
  if not lease then return end -- It has expired, and was counted then.
  redis.call('ZREM', leases, lease)
  local number, began, epoch, probe = string.match(lease, '^(%d+):(%d+):(%d+):(%d)')
  a.number, a.began, a.epoch, a.probe = tonumber(number), tonumber(began), tonumber(epoch), probe == '1'
  a.trusted, a.within = false, 0
  roll()
  under_way = under_way - 1
  read_clock(a)
  day_follow()
  if not a.sent or a.refused then s.day_used = s.day_used - 1 end
  if not settle(a) or not a.answered then return end
  if a.throttled then
    throttle(a)
  else
    slots_grow()
    s.pause_last = 0
  end
end

-- earliest returns the time before which no call can be started if ahead others
-- go first, and whether it is the day's limit that forbids it.
local function earliest(ahead)
  local at, daily = math.max(now, s.pause_until, window_earliest(ahead)), 0
  local free = math.max(0, day_free())
  if ahead >= free then
    local day_at = s.day_end + math.floor((ahead - free) / per_day) * day
    if day_at > at then at, daily = day_at, 1 end
  end
  return at, daily
end

-- look returns when it is worth asking again although no call has ended. It is
-- now where that is the only thing to wait for.
local function look()
  if probe_holds() then return math.max(s.probe_until, (earliest(0))) end
  return (earliest(0))
end

-- What the accounting of a single process need not know.

local unsent = {sent = false, reset = 0, date = 0, remaining = 0, retry_in = -1}

-- expire ends the leases whose holders did not: their calls may have been made.
local function expire()
  if under_way == 0 then return end
  for _, lease in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', whole(now))) do
    finish(lease, {sent = true, reset = 0, date = 0, remaining = 0, retry_in = -1})
  end
end

-- The line holds a ticket, name:process, for each call that waits, by the time
-- since when it does. The first one goes next, whatever process it is of. A
-- process that listens is told of its leases. Tickets of one that neither listens
-- nor asks are dropped. It takes its places again when it asks.

local function is_error(answer) return type(answer) == 'table' and answer.err ~= nil end

-- listens reports whether a process listens here. In a cluster, one that listens to
-- another server hears everything, too, but is not counted by PUBLISH.
local function listens(other)
  local answer = redis.pcall('PUBSUB', 'NUMSUB', line .. ':' .. other)
  return not is_error(answer) and tonumber(answer[2]) > 0
end

local function asks(other)
  return tonumber(redis.call('ZSCORE', processes, other) or 0) > now - asks_for
end

-- startable returns how many calls may be started now.
local function startable()
  if not ready() then return 0 end
  if s.stage == fresh then return 1 end
  local slots = most > 0 and s.open - under_way or math.huge
  return math.min(slots, window_free(), day_free())
end

local granted = {}

local function drop(ticket) waiting = waiting - redis.call('ZREM', line, ticket) end

local function serve()
  local place = 0 -- Those before it ask in a moment, and find what is left for them.
  while waiting > place and startable() > place do
    local ticket = redis.call('ZRANGE', line, place, place)[1]
    local holder = string.match(ticket, ':(.*)$')
    if holder == process then
      granted[ticket] = start(ticket)
      drop(ticket)
    elseif listens(holder) and not is_error(redis.pcall('PUBLISH', line .. ':' .. holder, receipt(ticket))) then
      start(ticket)
      drop(ticket)
    elseif asks(holder) then
      place = place + 1
    else
      drop(ticket)
    end
  end
end

-- join puts a call into the line, at the place that it has waited for.
local function join(name, waited)
  local ticket = name .. ':' .. process
  granted[ticket] = find(ticket)
  if granted[ticket] then return end
  if waiting == 0 and startable() > 0 then
    granted[ticket] = start(ticket)
    return
  end
  waiting = waiting + redis.call('ZADD', line, 'NX', whole(now - waited), ticket)
  if waiting == 1 then keep(line) end
end

-- answer says what became of a question: the lease, or in how long there may be
-- one, and since when the call waits. Who would wait in vain leaves the line.
local function answer(name, may_wait)
  local ticket = name .. ':' .. process
  if granted[ticket] then return {granted[ticket], 0, 0, 0} end
  local at, daily = earliest(redis.call('ZRANK', line, ticket))
  local since = tonumber(redis.call('ZSCORE', line, ticket))
  if at > now + may_wait then
    drop(ticket)
    since = 0
  end
  return {'', at - now, daily, since}
end

-- leave takes back a question, whatever has become of it.
local function leave(name)
  local ticket = name .. ':' .. process
  drop(ticket)
  finish(ticket, unsent)
end

-- tell lets those who wait know when to look again, and since when the first of
-- them waits: whoever waits for longer has been dropped from the line.
local function tell(at)
  if math.abs(at - s.look) <= second then return end
  s.look = at
  local first = redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')
  if first[1] then redis.pcall('PUBLISH', line, 'look ' .. whole(at - now) .. ' ' .. whole(tonumber(first[2]))) end
end

-- seen notes that this process calls. It fails, and leaves everything as it is, where
-- nothing can be written.
local function seen()
  if process == '' then
    redis.call('HSET', quota, 'now', whole(now))
  elseif redis.call('ZADD', processes, whole(now), process) == 1 then
    keep(processes)
  end
end

-- sweep drops what is too old, once in a while.
local function sweep()
  if now - s.swept < second then return end
  s.swept = now
  redis.call('ZREMRANGEBYSCORE', processes, '-inf', whole(now - seen_for))
  waiting = waiting - redis.call('ZREMRANGEBYSCORE', line, '-inf', whole(now - max_wait))
end

-- rank returns how many processes come before this one in an order that does not
-- change.
local function rank()
  local before = 0
  for _, other in ipairs(redis.call('ZRANGE', processes, 0, -1)) do
    if other < process then before = before + 1 end
  end
  return before
end

local function report(i)
  local function number(n) return tonumber(ARGV[i + n]) end
  local function flag(n) return ARGV[i + n] == '1' end
  return {
    sent = flag(0), answered = flag(1), refused = flag(2), throttled = flag(3), known = flag(4),
    limit = number(5), remaining = number(6), reset = number(7), date = number(8), retry_in = number(9),
  }
end

seen()
sweep()
expire()
roll()

local questions, my_rank = {}, -1
local i = first_message
while ARGV[i] do
  if ARGV[i] == 'end' then
    finish(ARGV[i + 1], report(i + 2))
    i = i + 12
  elseif ARGV[i] == 'leave' then
    leave(ARGV[i + 1])
    i = i + 2
  elseif ARGV[i] == 'alone' then
    s.day_used = math.max(0, s.day_used + tonumber(ARGV[i + 1]))
    i = i + 2
  elseif ARGV[i] == 'renew' then
    redis.call('ZADD', leases, 'XX', whole(now + lease_time), ARGV[i + 1])
    i = i + 2
  elseif ARGV[i] == 'ask' then
    join(ARGV[i + 1], tonumber(ARGV[i + 2]))
    questions[#questions + 1] = {ARGV[i + 1], tonumber(ARGV[i + 3])}
    i = i + 4
  else
    my_rank = rank()
    i = i + 1
  end
end
serve()
local answers, waits = {}, false
for n, question in ipairs(questions) do
  answers[n] = answer(question[1], question[2])
  waits = waits or answers[n][4] > 0
  granted[question[1] .. ':' .. process] = nil
end
local brought = {} -- Leases for calls that had asked before.
for _, lease in pairs(granted) do brought[#brought + 1] = lease end
local listening = -1 -- Nobody wants to know.
if waits then listening = listens(process) and 1 or 0 end
local at = look()
tell(at)

-- What everybody is told: whether a call could be started now, from when on one
-- can be if not, as far as that is known, how many processes there are, the limit
-- of a window, what is left of the day, and of its calls, and of the window; when
-- to ask again; the calls under way, their limit, and those that wait; whether this
-- process listens.
local first_at, daily = earliest(0)
local outlook = {
  ready() and 1 or 0, first_at - now, daily, redis.call('ZCARD', processes), size(), s.day_end - now,
  per_day == 0 and 0 or math.max(0, day_free()), math.max(0, math.min(window_free(), size())), at - now, my_rank,
  under_way, s.open, waiting, answers, brought, listening,
}
save()
return outlook
