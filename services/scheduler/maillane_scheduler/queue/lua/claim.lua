#!lua flags=allow-oom
--[[
Moves messages from lanes to flight, each grant's in due order, under one token and a hand-over lease (taking.lua).
With allow-oom: it adds about what it takes away, and a full server must go on sending.

ARGV[2]      token
ARGV[3]      hand-over lease in µs
ARGV[3i+1]   mailbox of grant i
ARGV[3i+2]   campaign of grant i
ARGV[3i+3]   messages granted, >= 1; at most 1,000 over all grants

Returns one list per grant: {message, due, message, due, …}, empty where the lane is not eligible now.
]]
local token, lease_end = ARGV[2], us(now() + tonumber(ARGV[3]))
local reply = {}
for i = 4, #ARGV, 3 do reply[#reply + 1] = take(ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), token, lease_end) end
return reply
