#!lua flags=no-writes
--[[
Messages that wait in lanes, by their place in due order.

ARGV[3i-1]   mailbox of lane i
ARGV[3i]     campaign of lane i; at most 500 lanes
ARGV[3i+1]   the place of the first, from 0
ARGV[#ARGV]  how many of each lane

Returns a list per lane, of message ids as they are stored.
]]
local most, found = tonumber(ARGV[#ARGV]), {}
for i = 2, #ARGV - 1, 3 do
  local first = tonumber(ARGV[i + 2])
  found[#found + 1] = R('ZRANGE', lane_key(ARGV[i], ARGV[i + 1]), first, first + most - 1)
end
return found
