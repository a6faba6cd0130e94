#!lua flags=allow-oom
--[[
Pauses or resumes a campaign in all its lanes, and in those that appear later, as of a revision. An older one than the
stored changes nothing; the same one is written again.

ARGV[2]   campaign
ARGV[3]   revision
ARGV[4]   paused, 0 or 1

Returns whether it was written, 1 or 0. About 8 commands a mailbox, whatever the number of messages.
]]
local c, revision = ARGV[2], tonumber(ARGV[3])
if number(R('HGET', state_key(c), 'revision')) > revision then return 0 end
R('HSET', state_key(c), 'revision', ARGV[3], 'paused', ARGV[4])
for _, m in ipairs(R('SMEMBERS', campaign_key(c))) do
  if number(R('HGET', gate_key(m), 'paused_revision:' .. c)) <= revision then
    R('HSET', gate_key(m), 'paused_revision:' .. c, ARGV[3], 'paused:' .. c, ARGV[4])
    touch_lane(m, c)
    touch_gate(m)
  end
end
return 1
