#!lua flags=allow-oom
--[[
Forgets what is kept of a campaign that has ended: the flags, gap, parks and last service of its lanes, and which mailboxes it
used. A lane that still holds something, or of which something is in flight, keeps all of that; a campaign of which a later
revision is known was opened again, and keeps everything.
With allow-oom: it makes room.

ARGV[2]   campaign
ARGV[3]   revision as of which it has ended

Returns whether nothing is kept of it any more, 1 or 0. About 5 commands a mailbox. Safe to repeat.
]]
local c, revision = ARGV[2], tonumber(ARGV[3])
if number(R('HGET', state_key(c), 'revision')) > revision then return 0 end

local function in_use(m)
  if R('EXISTS', lane_key(m, c)) == 1 then return true end
  for _, flying in ipairs(R('HVALS', flight_key(m))) do
    if string.match(flying, '^%d+') == c then return true end
  end
end

for _, m in ipairs(R('SMEMBERS', campaign_key(c))) do
  if not in_use(m) then
    R('HDEL', gate_key(m), 'paused:' .. c, 'paused_revision:' .. c, 'gap:' .. c, 'gap_revision:' .. c, 'last:' .. c,
      'by:' .. c, 'before:' .. c, 'park:limit:' .. c, 'park:backoff:' .. c, 'park:window:' .. c)
    R('SREM', campaign_key(c), m)
  end
end
if R('EXISTS', campaign_key(c)) == 1 then return 0 end
R('UNLINK', state_key(c))
return 1
