#!lua flags=allow-oom
--[[
Raises the last service of a lane and of its gate; never lowers one. For rebuilds, from what Postgres recorded of claims.

ARGV[2]   mailbox
ARGV[3]   campaign
ARGV[4]   last service in µs
]]
local m, c, last = ARGV[2], ARGV[3], tonumber(ARGV[4])
for i, stored in ipairs(R('HMGET', gate_key(m), 'last', 'last:' .. c)) do
  if number(stored) < last then R('HSET', gate_key(m), i == 1 and 'last' or 'last:' .. c, ARGV[4]) end
end
touch_lane(m, c)
touch_gate(m)
