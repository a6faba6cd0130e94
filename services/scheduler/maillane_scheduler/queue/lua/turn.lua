#!lua flags=allow-oom
--[[
A whole turn of handing out, on permits that are at hand: ends flights (leaving.lua), looks for what is due (offers.lua), and
takes of it what there are permits for (taking.lua). In this order: what is done with makes room under its mailbox's cap.
With allow-oom, as the commands that it is made of.

ARGV[2]       token
ARGV[3]       hand-over lease in µs
ARGV[4]       slots, the most messages to offer in all, 0 to 1,000
ARGV[5]       n, the lanes for which permits are at hand, each once
ARGV[3i+3]    mailbox of lane i
ARGV[3i+4]    campaign of lane i
ARGV[3i+5]    permits for lane i, >= 1
ARGV[3n+6…]   the flights to end, as leaving.lua has them; at most 1,000

Returns {now, next, {mailbox, campaign, count, mailbox, …}, {messages of offer 1}, {messages of offer 2}, …}, in serving order.
The messages of an offer are {message, due, message, due, …}, as many as there were permits, and count is what was offered.
next is as in due.lua: when all that was offered is taken.
]]
local token, lease_end, lanes = ARGV[2], us(now() + tonumber(ARGV[3])), tonumber(ARGV[5])
leave(3 * lanes + 6)
local permits = {}
for i = 6, 3 * lanes + 5, 3 do permits[ARGV[i] .. '|' .. ARGV[i + 1]] = tonumber(ARGV[i + 2]) end
local offers, next_us = look(tonumber(ARGV[4]))
local reply = {us(now()), next_us < math.huge and us(next_us), offers}
for i = 1, #offers, 3 do
  local m, c, at_hand = offers[i], offers[i + 1], permits[offers[i] .. '|' .. offers[i + 1]]
  reply[#reply + 1] = at_hand and take(m, c, math.min(offers[i + 2], at_hand), token, lease_end) or {}
end
return reply
