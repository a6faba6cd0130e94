#!lua flags=allow-oom
--[[
Writes what Postgres says of a campaign to one of its lanes, as of a revision of the campaign. Gap and pause flag each
have a revision of their own, because set_campaign writes the flag alone; an older one changes nothing, the same one is
written again.

ARGV[2]   mailbox
ARGV[3]   campaign
ARGV[4]   revision
ARGV[5]   paused, 0 or 1
ARGV[6]   gap in µs
]]
local m, c, revision = ARGV[2], ARGV[3], tonumber(ARGV[4])
local gate = gate_key(m)
if R('HEXISTS', gate, 'paused:' .. c) == 0 then join(m, c) end
local stored = R('HMGET', gate, 'paused_revision:' .. c, 'gap_revision:' .. c)
if number(stored[1]) <= revision then R('HSET', gate, 'paused_revision:' .. c, ARGV[4], 'paused:' .. c, ARGV[5]) end
if number(stored[2]) <= revision then R('HSET', gate, 'gap_revision:' .. c, ARGV[4], 'gap:' .. c, ARGV[6]) end
touch_lane(m, c)
touch_gate(m)
