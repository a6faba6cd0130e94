#!lua flags=allow-oom
--[[
Ends flights (leaving.lua).
With allow-oom: a full server must be able to empty itself.

ARGV[4i-2]   mailbox of item i
ARGV[4i-1]   message, 8 bytes; at most 1,000 items
ARGV[4i]     token
ARGV[4i+1]   due time in µs, or '' if it is not to come back

Returns how many left flight.
]]
return leave(2)
