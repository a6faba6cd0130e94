#!lua flags=allow-oom
--[[
Moves messages from lanes to flight, each grant's in due order, under one token and a hand-over lease. What makes a lane
and its gate eligible (pauses, parks, gaps, the cap) is checked again by their scores.
With allow-oom: it adds about what it takes away, and a full server must go on sending.

ARGV[2]      token
ARGV[3]      hand-over lease in µs
ARGV[3i+1]   mailbox of grant i
ARGV[3i+2]   campaign of grant i
ARGV[3i+3]   messages granted, >= 1; at most 1,000 over all grants

Returns one list per grant: {message, due, message, due, …}, empty where the lane is not eligible now. A grant takes the
same number of commands whatever the number of messages.
]]
local token, lease_end = ARGV[2], us(now() + tonumber(ARGV[3]))

local function eligible(key, member)
  local score = tonumber(R('ZSCORE', key, member))
  return score and score <= now()
end

-- Into flight first, then out of the lane: a script that dies in between must not have lost anything.
local function fly(m, c, entries)
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

local function turn(m, c, granted)
  if not eligible(P .. 'gates', m) or not eligible(lanes_key(m), c) then return {} end
  local h = R('HMGET', gate_key(m), 'cap', 'gap', 'gap:' .. c, 'last', 'last:' .. c)
  local room = (tonumber(h[1]) or DEFAULT_CAP) - R('HLEN', flight_key(m))
  local has_gap = number(h[2]) > 0 or number(h[3]) > 0
  if has_gap then room = 1 end
  local entries = R('ZRANGE', lane_key(m, c), '-inf', us(now()), 'BYSCORE', 'LIMIT', 0, math.min(granted, room),
    'WITHSCORES')
  fly(m, c, entries)
  R('HSET', gate_key(m), 'last', us(now()), 'last:' .. c, us(now()))
  -- For unserve: a gap is waited for after a hand-out, and this may not become one.
  if has_gap then
    R('HSET', gate_key(m), 'by', token, 'before', h[4] or '0', 'by:' .. c, token, 'before:' .. c, h[5] or '0')
  end
  touch_lane(m, c)
  touch_gate(m)
  return entries
end

local reply = {}
for i = 4, #ARGV, 3 do reply[#reply + 1] = turn(ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])) end
return reply
