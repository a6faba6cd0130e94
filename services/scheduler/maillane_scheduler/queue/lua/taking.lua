--[[
Put before the scripts that hand out: `take(m, c, granted, token, lease_end)` moves up to the granted number of messages
from a lane to flight, in due order, and returns {message, due, message, due, …}. What makes the lane and its gate eligible
(pauses, parks, gaps, the cap) is checked by their scores: nothing is taken from one that is not eligible now.

The same number of commands whatever the number of messages.
]]
local function eligible(key, member)
  local score = tonumber(R('ZSCORE', key, member))
  return score and score <= now() and score
end

-- Into flight first, then out of the lane: a script that dies in between must not have lost anything.
local function fly(m, c, entries, token, lease_end)
  local flight, leases = {}, {}
  for i = 1, #entries, 2 do
    local message, due = entries[i], entries[i + 1]
    flight[i], flight[i + 1] = message, c .. '|' .. due .. '|' .. token
    leases[i], leases[i + 1] = lease_end, m .. '|' .. message
  end
  variadic('HSET', flight_key(m), flight)
  variadic('ZADD', P .. 'leases', leases)
  R('ZREMRANGEBYRANK', lane_key(m, c), 0, #entries / 2 - 1)
end

local function take(m, c, granted, token, lease_end)
  local score = eligible(P .. 'gates', m) and eligible(lanes_key(m), c)
  if not score then return {} end
  local h = R('HMGET', gate_key(m), 'cap', 'gap', 'gap:' .. c, 'last', 'last:' .. c)
  local room = (tonumber(h[1]) or DEFAULT_CAP) - R('HLEN', flight_key(m))
  local has_gap = number(h[2]) > 0 or number(h[3]) > 0
  if has_gap then room = 1 end
  local entries = R('ZRANGE', lane_key(m, c), '-inf', us(now()), 'BYSCORE', 'LIMIT', 0, math.min(granted, room),
    'WITHSCORES')
  fly(m, c, entries, token, lease_end)
  R('HSET', gate_key(m), 'last', us(now()), 'last:' .. c, us(paced(score, number(h[3]))))
  -- For unserve: a gap is waited for after a hand-out, and this may not become one.
  if has_gap then
    R('HSET', gate_key(m), 'by', token, 'before', h[4] or '0', 'by:' .. c, token, 'before:' .. c, h[5] or '0')
  end
  touch_lane(m, c)
  touch_gate(m)
  return entries
end
