--[[
Put before the scripts that cut time into buckets: windows.py in floating point, exact below 2^53.

An allowance is a table of: counter (its name after the epoch), length, offset (µs), parts (0: fixed), limit.
]]

local function bucket_at(allowance, time)
  local steps = math.max(allowance.parts, 1)
  local shifted = time + allowance.offset
  local into = shifted % allowance.length
  -- Not shifted * steps / length: that product passes 2^53.
  return (shifted - into) / allowance.length * steps + math.floor(into * steps / allowance.length)
end

local function bucket_start(allowance, number)
  local steps = math.max(allowance.parts, 1)
  local part = number % steps
  return (number - part) / steps * allowance.length + math.ceil(part * allowance.length / steps) - allowance.offset
end

-- The first instant at which a bucket counts no longer.
local function counts_until(allowance, number)
  return bucket_start(allowance, number + allowance.parts + 1)
end

local function bucket_key(of, allowance, number)
  return of .. allowance.counter .. ':' .. text(number)
end

-- Permits in each bucket that counts when `number` is the current one (the oldest first), and their sum.
local function used_in(of, allowance, number)
  local keys = {}
  for part = number - allowance.parts, number do keys[#keys + 1] = bucket_key(of, allowance, part) end
  local used, total = redis.call('MGET', unpack(keys)), 0
  for i = 1, #keys do
    used[i] = tonumber(used[i] or 0)
    total = total + used[i]
  end
  return used, total
end
