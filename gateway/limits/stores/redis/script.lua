-- Decides limits in Redis and Valkey: many requests in one call, each with all of its policies, all or none.
--
-- KEYS     the keys of all rows, in order; on a cluster all of one slot.
-- ARGV[1]  MessagePack of {now, unix, lease, holder, {request, ...}}
--            now, unix  microseconds that stand for the server's clock, 0 for its own; tests alone give them
--            lease      how long a place of concurrency is held without being renewed, in microseconds
--            holder     whose places these are
--            request    {mode, row, ...}, a row {kind, shadow, cost, a, b, mark}, with one of KEYS each
-- Returns  a flat list of integers: for each row of DECIDE and PEEK admitted, remaining, retry_after, reset, mark; for each of
--          BEAT (A is how long a replica lives without one, B its name) the number of replicas that live; for the others nothing.
--
-- Numbers are doubles, exact up to 2^53; they are written with %.0f, for tostring() keeps 14 digits. Every key is given the
-- time to live after which it no longer says anything, so nothing is ever cleaned up.

local DECIDE, PEEK, REFUND, RENEW, BEAT = 1, 2, 3, 4, 5
local KIND, SHADOW, COST, A, B, MARK = 1, 2, 3, 4, 5, 6

local call, floor, max, min = redis.call, math.floor, math.max, math.min
local given_now, given_unix, lease, holder, requests = unpack(cmsgpack.unpack(ARGV[1]))

local time = call('TIME')
local clock = time[1] * 1000000 + time[2]
local now = given_now > 0 and given_now or clock
local unix = given_unix > 0 and given_unix or clock

local function whole(number)
  return string.format('%.0f', number)
end

-- Milliseconds, rounded up. A given clock does not run as the server's does, by which keys end: there they live an hour.
local function life(us)
  if given_now > 0 then
    return 3600000
  end
  return whole(floor(max(us, 0) / 1000) + 1)
end

-- Each kind of policy, to the microsecond as the module of its name in gateway/limits says: find(ask) reads what is kept,
-- judge(ask, cost) says admitted, remaining, retry_after and reset afterwards, charge(ask) keeps it and returns the mark,
-- refund(ask) gives back. What costs 0 is admitted, and neither charged nor given back.

-- GCRA. A is the interval T, B is tau; kept is the theoretical arrival time.
local gcra = {}

function gcra.find(ask)
  ask.tat = max(tonumber(call('GET', ask.key)) or now, now)
end

function gcra.judge(ask, cost)
  local after = ask.tat + cost * ask[A]
  local wait = cost > 0 and after - now - ask[B] or 0
  local admitted = wait <= 0
  local ahead = (admitted and after or ask.tat) - now
  local free = ask[B] - ahead
  local remaining = free > 0 and floor(free / ask[A]) or 0
  local reset = ahead > 0 and (remaining + 1) * ask[A] - free or 0
  return admitted, remaining, max(wait, 0), reset
end

function gcra.charge(ask)
  local after = ask.tat + ask[COST] * ask[A]
  call('SET', ask.key, whole(after), 'PX', life(after - now))
  return after
end

-- What has lapsed was given back by time already.
function gcra.refund(ask)
  local owed = min(ask[COST] * ask[A], ask[MARK] - now)
  local tat = tonumber(call('GET', ask.key))
  if tat and owed > 0 then
    call('SET', ask.key, whole(tat - owed), 'PX', life(tat - owed - now))
  end
end

-- Sliding log. A is how many, B the window; kept is a list of times, oldest first. One noted at t counts until t + B, and no
-- longer at that moment. A clock that goes back frees nothing and breaks no order: the newest is noted again. Nothing is
-- taken out but by a charge.
local log = {}

local function noted(key, index)
  return tonumber(call('LINDEX', key, index))
end

function log.find(ask)
  local key, newest = ask.key, noted(ask.key, -1)
  ask.at = max(newest or now, now)
  ask.gone, ask.held = 0, 0
  local gone = ask.at - ask[B]
  if not newest or newest <= gone then
    ask.gone = -1 -- all of it
    return
  end
  local length = call('LLEN', key)
  local low, high = 0, length - 1 -- the first that counts is there
  ask.oldest = noted(key, 0)
  if ask.oldest <= gone then
    while low < high do
      local middle = floor((low + high) / 2)
      if noted(key, middle) <= gone then
        low = middle + 1
      else
        high = middle
      end
    end
    ask.gone, ask.oldest = low, noted(key, low)
  end
  ask.held = length - ask.gone
end

function log.judge(ask, cost)
  local free = ask[A] - ask.held
  local oldest = ask.oldest or (cost > 0 and ask.at)
  local reset = oldest and oldest + ask[B] - now or 0
  if cost == 0 or cost <= free then
    return true, max(free - cost, 0), 0, reset
  end
  return false, max(free, 0), noted(ask.key, ask.gone + cost - free - 1) + ask[B] - now, reset
end

function log.charge(ask)
  if ask.gone == -1 then
    call('DEL', ask.key)
  elseif ask.gone > 0 then
    call('LTRIM', ask.key, ask.gone, -1)
  end
  local times = {}
  for i = 1, ask[COST] do
    times[i] = whole(ask.at)
  end
  call('RPUSH', ask.key, unpack(times))
  call('PEXPIRE', ask.key, life(ask.at + ask[B] - now))
  return ask.at
end

function log.refund(ask)
  call('LREM', ask.key, -ask[COST], whole(ask[MARK]))
end

-- Calendar, in UTC. A is how many, B the period; kept is the beginning of the window and the count.
local calendar = {}
local MINUTE, HOUR, DAY, WEEK = 60000000, 3600000000, 86400000000, 604800000000
local PERIOD = {MINUTE, HOUR, DAY, WEEK}

-- Days from 1970-01-01 to the first of a month; months count from 1 and may exceed 12. After H. Hinnant, "chrono-compatible
-- low-level date algorithms".
local function first_of_month(year, month)
  year, month = year + floor((month - 1) / 12), (month - 1) % 12 + 1
  if month <= 2 then
    year = year - 1
  end
  local era = floor(year / 400)
  local of_era = year - era * 400
  local of_year = floor((153 * ((month + 9) % 12) + 2) / 5)
  return era * 146097 + of_era * 365 + floor(of_era / 4) - floor(of_era / 100) + of_year - 719468
end

local function month_of(days)
  local shifted = days + 719468
  local era = floor(shifted / 146097)
  local day = shifted - era * 146097
  local of_era = floor((day - floor(day / 1460) + floor(day / 36524) - floor(day / 146096)) / 365)
  local of_year = day - (365 * of_era + floor(of_era / 4) - floor(of_era / 100))
  local month = (floor((5 * of_year + 2) / 153) + 2) % 12 + 1
  return of_era + era * 400 + (month <= 2 and 1 or 0), month
end

local function window(period, at)
  local length = PERIOD[period]
  if length then
    local shift = length == WEEK and 3 * DAY or 0 -- 1970-01-01 was a Thursday, and weeks begin on Monday
    local begin = at - (at + shift) % length
    return begin, begin + length
  end
  local year, month = month_of(floor(at / DAY))
  return first_of_month(year, month) * DAY, first_of_month(year, month + 1) * DAY
end

local function counted(key)
  local kept = call('GET', key)
  if kept then
    local begin, count = string.match(kept, '^(%d+) (%d+)$')
    return tonumber(begin), tonumber(count)
  end
  return nil, 0
end

function calendar.find(ask)
  local begin, count = counted(ask.key)
  -- A clock that goes back does not open a window again.
  ask.begin, ask.finish = window(ask[B], max(unix, begin or 0))
  ask.count = begin == ask.begin and count or 0
end

function calendar.judge(ask, cost)
  local free, left = ask[A] - ask.count, ask.finish - unix
  if cost == 0 or cost <= free then
    return true, max(free - cost, 0), 0, ask.count + cost > 0 and left or 0
  end
  return false, max(free, 0), left, ask.count > 0 and left or 0
end

function calendar.charge(ask)
  call('SET', ask.key, whole(ask.begin) .. ' ' .. whole(ask.count + ask[COST]), 'PX', life(ask.finish - unix))
  return ask.begin
end

function calendar.refund(ask)
  local begin, count = counted(ask.key)
  if begin == ask[MARK] then
    -- Kept even with nothing used: a clock that goes back does not bring the window before it back.
    call('SET', ask.key, whole(begin) .. ' ' .. whole(max(count - ask[COST], 0)), 'KEEPTTL')
  end
end

-- Concurrency. A is how many; kept are the places that are held, each with the time at which it ends unless it is renewed:
-- those of a replica that died come back by themselves. MARK is the number that the holder gives a request.
local concurrency = {}

local function places(ask)
  local name, names = holder .. ':' .. whole(ask[MARK]), {}
  for i = 1, ask[COST] do
    names[i] = i == 1 and name or name .. ':' .. whole(i)
  end
  return names
end

local function hold(ask)
  local scored = {}
  for _, name in ipairs(places(ask)) do
    scored[#scored + 1] = whole(now + lease)
    scored[#scored + 1] = name
  end
  call('ZADD', ask.key, unpack(scored))
  call('PEXPIRE', ask.key, life(lease))
end

function concurrency.find(ask)
  call('ZREMRANGEBYSCORE', ask.key, '-inf', whole(now))
  ask.held = call('ZCARD', ask.key)
end

-- When a place comes back cannot be known.
local SECOND = 1000000

function concurrency.judge(ask, cost)
  local free = ask[A] - ask.held
  if cost == 0 or cost <= free then
    return true, max(free - cost, 0), 0, ask.held + cost > 0 and SECOND or 0
  end
  return false, max(free, 0), SECOND, ask.held > 0 and SECOND or 0
end

function concurrency.charge(ask)
  hold(ask)
  return ask[MARK]
end

function concurrency.refund(ask)
  call('ZREM', ask.key, unpack(places(ask)))
end

local KINDS = {gcra, log, calendar, concurrency}

-- Modes.
local reply = {}

-- All policies that are not in shadow mode admit, or none is charged. One in shadow mode is charged for itself, and only
-- where the others admit. Where nothing is charged, a policy that would have admitted says what it has.
local function decide(request, charging)
  local joint, first = true, #reply
  for i = 2, #request do
    local ask = request[i]
    local kind, at = KINDS[ask[KIND]], #reply
    kind.find(ask)
    ask.fits, reply[at + 2], reply[at + 3], reply[at + 4] = kind.judge(ask, ask[COST])
    reply[at + 1], reply[at + 5] = ask.fits and 1 or 0, 0
    joint = joint and (ask.fits or ask[SHADOW] == 1)
  end
  for i = 2, #request do
    local ask = request[i]
    local kind, at = KINDS[ask[KIND]], first + 5 * (i - 2)
    if ask.fits and not joint then
      local _
      _, reply[at + 2], reply[at + 3], reply[at + 4] = kind.judge(ask, 0)
    elseif ask.fits and charging and ask[COST] > 0 then
      reply[at + 5] = kind.charge(ask)
    end
  end
end

local function beat(row)
  call('ZREMRANGEBYSCORE', row.key, '-inf', whole(now - row[A]))
  call('ZADD', row.key, whole(now), row[B])
  call('PEXPIRE', row.key, life(row[A]))
  reply[#reply + 1] = call('ZCARD', row.key)
end

local function each(act)
  return function(request)
    for i = 2, #request do
      act(request[i])
    end
  end
end

local MODES = {
  [DECIDE] = function(request) decide(request, true) end,
  [PEEK] = function(request) decide(request, false) end,
  [REFUND] = each(function(ask) KINDS[ask[KIND]].refund(ask) end),
  [RENEW] = each(hold),
  [BEAT] = each(beat),
}

local used = 0
for _, request in ipairs(requests) do
  for i = 2, #request do
    used = used + 1
    request[i].key = KEYS[used]
  end
  MODES[request[1]](request)
end
return reply
