#!lua flags=allow-oom
--[[
A whole turn of handing out, on permits that are at hand: ends flights (leaving.lua), looks for what is due (offers.lua), and
takes of it what there are permits for (taking.lua). In this order: what is done with makes room under its mailbox's cap.
An offer is taken as a whole, or left as a whole where the permits are too few, for more can be reserved; where that is known to
be in vain, as much is taken as there are permits for.
With allow-oom, as the commands that it is made of.

ARGV[2]       token
ARGV[3]       hand-over lease in µs
ARGV[4]       slots, the most messages to offer in all, 0 to 1,000
ARGV[5]       n, the lanes for which permits are at hand, each once
ARGV[4i+2]    mailbox of lane i
ARGV[4i+3]    campaign of lane i
ARGV[4i+4]    permits for lane i, >= 1
ARGV[4i+5]    1 if no more can be reserved for lane i, else 0
ARGV[4n+6…]   the flights to end, as leaving.lua has them; at most 1,000

Returns {now, next, {mailbox, campaign, count, mailbox, …}, {messages of offer 1}, {messages of offer 2}, …}, in serving order.
The messages of an offer are {message, due, message, due, …}, none where it was left.
next is as in due.lua: when all that was offered is taken.
]]
local token, lease_end, lanes = ARGV[2], us(now() + tonumber(ARGV[3])), tonumber(ARGV[5])
leave(4 * lanes + 6)
local at_hand = {}
for i = 6, 4 * lanes + 5, 4 do at_hand[ARGV[i] .. '|' .. ARGV[i + 1]] = i + 2 end
local offers, next_us = look(tonumber(ARGV[4]))
local reply = {us(now()), next_us < math.huge and us(next_us), offers}
for i = 1, #offers, 3 do
  local m, c, count, at = offers[i], offers[i + 1], offers[i + 2], at_hand[offers[i] .. '|' .. offers[i + 1]]
  local permits = at and tonumber(ARGV[at]) or 0
  if at and ARGV[at + 1] == '1' then count = math.min(count, permits) end
  reply[#reply + 1] = permits >= count and take(m, c, count, token, lease_end) or {}
end
return reply
