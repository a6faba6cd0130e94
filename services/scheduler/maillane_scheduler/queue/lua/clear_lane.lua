#!lua flags=allow-oom
--[[
Empties a lane at one stroke, whatever its length. Flags, parks, last service and what is in flight stay.

ARGV[2]   mailbox
ARGV[3]   campaign
]]
R('UNLINK', lane_key(ARGV[2], ARGV[3]))
touch_lane(ARGV[2], ARGV[3])
touch_gate(ARGV[2])
