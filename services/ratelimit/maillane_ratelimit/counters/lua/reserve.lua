--[[
Reserves permits for the asks of one workspace, in their order: for each as many as its tightest allowance still holds.
Counts nothing that it does not grant. A reservation id that is known answers as it did at first, and counts nothing.

KEYS[1]   the workspace's sentinel
ARGV[1]   now in µs, or 0 for Redis's time
ARGV[2]   number of asks, then for each ask:
            reservation id, permits wanted, permits wanted ahead (beyond those, where much is left),
            cap, cap's place, cap's retry, cap's until: what another slot granted for this ask (at most that is granted
              here), under which place of the ask it is named as the tightest, with which retry time, and until when it
              counts there; a cap of the permits wanted is none
            backing: kept with the reservation and answered with it
            number of allowances, then for each: counter, place in the ask, length, offset, parts, limit

Returns nil where the counters are lost; else {epoch, then for each ask {answer, until, backing}}. An answer is
'granted reserved expires tightest retry', times in µs: expires is the end of the first bucket that ends (0 without
allowances), tightest -1 and retry 0 where all was granted; until is when the last bucket counts no longer, or when the
reservation is forgotten. A backing other than that in the arguments shows that the reservation was known.
]]

-- How long a reservation is remembered after a window that is longer: by then its permits were used or lost. It bounds the
-- memory of long windows. A refund that comes later does nothing, which is the safe side.
local LONGEST_MEMORY_US = 25 * 3600 * 1000000

local now, epoch, argument = clock(ARGV[1]), trusted_epoch(KEYS[1]), 2
if not epoch then return nil end
local ours = prefix(KEYS[1], epoch)

local function take()
  argument = argument + 1
  return ARGV[argument]
end

local function take_number()
  return tonumber(take())
end

local function take_ask()
  local ask = {
    id = take(), wanted = take_number(), ahead = take_number(),
    cap = take_number(), cap_place = take_number(), cap_retry = take_number(), cap_until = take_number(),
    backing = take(), allowances = {},
  }
  for i = 1, take_number() do
    ask.allowances[i] = {
      counter = take(), place = take_number(),
      length = take_number(), offset = take_number(), parts = take_number(), limit = take_number(),
    }
  end
  return ask
end

-- When the first permit is free again, once `granted` more are counted. A limit of 0 never has one: then the instant at
-- which the current bucket counts no longer.
local function retry_at(allowance, granted)
  local left = allowance.total + granted
  for i = 1, #allowance.used do
    left = left - allowance.used[i]
    if left < allowance.limit then return bucket_start(allowance, allowance.number + i) end
  end
  return counts_until(allowance, allowance.number)
end

-- Of what all allowances still hold, at most this part is granted ahead: a twentieth, so none where fewer than 20 are left.
local AHEAD_PART = 20

-- How many permits the ask gets, the place of the tightest allowance, and when to try again.
local function measure(ask)
  local granted, tightest, retry, place, least = ask.wanted, nil, 0, -1, math.huge
  if ask.cap < granted then granted, retry, place = ask.cap, ask.cap_retry, ask.cap_place end
  for _, allowance in ipairs(ask.allowances) do
    allowance.number = bucket_at(allowance, now)
    allowance.used, allowance.total = used_in(ours, allowance, allowance.number)
    local free = math.max(0, allowance.limit - allowance.total)
    least = math.min(least, free)
    -- Of those that hold equally little, the first in the ask is named.
    if free < granted or (free == granted and allowance.place < place) then
      granted, tightest, place = free, allowance, allowance.place
    end
  end
  if tightest then
    tightest.used[#tightest.used] = tightest.used[#tightest.used] + granted
    retry = retry_at(tightest, granted)
  end
  -- Where less than wanted is granted, nothing is left of the tightest.
  return granted + math.min(ask.ahead, math.floor((least - granted) / AHEAD_PART)), place, retry
end

local function count(allowance, granted)
  local key = bucket_key(ours, allowance, allowance.number)
  if redis.call('INCRBY', key, granted) == granted then
    redis.call('PEXPIRE', key, kept_ms(now, counts_until(allowance, allowance.number)))
  end
end

-- Gives the instant until which the reservation is known.
local function remember(ask, answer)
  local known_until, buckets = ask.cap_until, {}
  for i, allowance in ipairs(ask.allowances) do
    local ends = counts_until(allowance, allowance.number)
    known_until = math.max(known_until, ends)
    buckets[i] = text(ends) .. ' ' .. allowance.counter .. ':' .. text(allowance.number) .. '\n'
  end
  known_until = math.min(known_until, now + LONGEST_MEMORY_US)
  local stored = text(known_until) .. '\n' .. answer .. '\n' .. ask.backing .. '\n' .. table.concat(buckets)
  redis.call('SET', reservation_key(ours, ask.id), stored, 'PX', kept_ms(now, known_until))
  return text(known_until)
end

local function reserve(ask)
  local known = recall(ours, ask.id, now)
  if known then return {known.answer, known.known_until, known.backing} end
  local granted, place, retry = measure(ask)
  local expires = 0
  for i, allowance in ipairs(ask.allowances) do
    local ends = bucket_start(allowance, allowance.number + 1)
    expires = i == 1 and ends or math.min(expires, ends)
    if granted > 0 then count(allowance, granted) end
  end
  local answer = table.concat({granted, text(now), text(expires), place, text(retry)}, ' ')
  return {answer, remember(ask, answer), ask.backing}
end

local answers = {epoch}
for _ = 1, tonumber(ARGV[2]) do answers[#answers + 1] = reserve(take_ask()) end
if redis.call('PTTL', KEYS[1]) < SENTINEL_RENEW_MS then redis.call('PEXPIRE', KEYS[1], SENTINEL_MS) end
return answers
