#!lua flags=no-writes
--[[
Which place messages have in the due order of their lanes.

ARGV[3i-1]   mailbox of message i
ARGV[3i]     campaign of message i
ARGV[3i+1]   message i; at most 500 of them

Returns for each its place, from 0; false where it does not wait.
]]
local found = {}
for i = 2, #ARGV, 3 do found[#found + 1] = R('ZRANK', lane_key(ARGV[i], ARGV[i + 1]), ARGV[i + 2]) end
return found
