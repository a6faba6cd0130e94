#!lua flags=allow-oom
--[[
Removes a mailbox: its lanes, flags and parks. What is in flight stays until it is settled, as do its leases.

ARGV[2]   mailbox

Its lanes are found by their pause flags, which each lane has from its first message on (`join`).
]]
local m = ARGV[2]
for _, field in ipairs(R('HKEYS', gate_key(m))) do
  local c = string.match(field, '^paused:(%d+)$')
  if c then
    R('UNLINK', lane_key(m, c))
    R('SREM', campaign_key(c), m)
  end
end
R('UNLINK', gate_key(m), lanes_key(m))
touch_gate(m)
