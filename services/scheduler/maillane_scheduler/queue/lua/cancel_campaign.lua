#!lua flags=allow-oom
--[[
Empties all lanes of a campaign at one stroke each, and pauses them as of a revision, so that what a straggler adds is
not served. What is in flight stays until it is settled. An older revision than the stored one changes nothing; the same
one is written again.
With allow-oom: it makes room.

ARGV[2]   campaign
ARGV[3]   revision

Returns whether it was done, 1 or 0. About 9 commands a mailbox, whatever the number of messages.
]]
local c, revision = ARGV[2], tonumber(ARGV[3])
if number(R('HGET', state_key(c), 'revision')) > revision then return 0 end
R('HSET', state_key(c), 'revision', ARGV[3], 'paused', '1')
for _, m in ipairs(R('SMEMBERS', campaign_key(c))) do
  if number(R('HGET', gate_key(m), 'paused_revision:' .. c)) <= revision then
    R('UNLINK', lane_key(m, c))
    R('HSET', gate_key(m), 'paused_revision:' .. c, ARGV[3], 'paused:' .. c, '1')
    touch_lane(m, c)
    touch_gate(m)
  end
end
return 1
