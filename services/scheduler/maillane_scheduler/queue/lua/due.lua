#!lua flags=no-writes
--[[
What can be handed out now (offers.lua).

ARGV[2]   slots, the most messages to offer in all, 0 to 1,000

Returns {now, next, mailbox, campaign, count, mailbox, …}; next is nil if nothing waits for time.
]]
local offers, next_us = look(tonumber(ARGV[2]))
return {us(now()), next_us < math.huge and us(next_us), unpack(offers)}
