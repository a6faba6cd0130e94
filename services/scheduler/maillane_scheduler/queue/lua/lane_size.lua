#!lua flags=no-writes
--[[
How many messages wait in a lane.

ARGV[2]   mailbox
ARGV[3]   campaign
]]
return R('ZCARD', lane_key(ARGV[2], ARGV[3]))
