#!lua flags=allow-oom
--[[
Puts messages in flight that Postgres has as SENDING, with no hand-over lease. What the lane or flight had of them gives
way: Postgres is right.
With allow-oom: a rebuild must end, and what flies is bounded by what senders hold.

ARGV[2]      mailbox
ARGV[3]      campaign
ARGV[3i+1]   message i, 8 bytes
ARGV[3i+2]   its due time in µs
ARGV[3i+3]   the token that it flies under

Safe to repeat.
]]
local m, c = ARGV[2], ARGV[3]
local messages, flight, leases = every(4, 3), {}, {}
for i = 4, #ARGV, 3 do
  flight[#flight + 1] = ARGV[i]
  flight[#flight + 1] = c .. '|' .. ARGV[i + 1] .. '|' .. ARGV[i + 2]
  leases[#leases + 1] = m .. '|' .. ARGV[i]
end
variadic('HSET', flight_key(m), flight)
variadic('ZREM', P .. 'leases', leases)
variadic('ZREM', lane_key(m, c), messages)
touch_lane(m, c)
touch_gate(m)
