#!lua flags=allow-oom
--[[
Removes messages from a lane that Postgres does not have as schedulable. What is in flight is left alone.

ARGV[2]     mailbox
ARGV[3]     campaign
ARGV[i+3]   message i, 8 bytes

Returns how many were there. Safe to repeat.
]]
local m, c = ARGV[2], ARGV[3]
local gone = variadic('ZREM', lane_key(m, c), every(4, 1))
touch_lane(m, c)
touch_gate(m)
return gone
