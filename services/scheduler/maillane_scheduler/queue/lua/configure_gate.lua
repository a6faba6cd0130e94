#!lua flags=allow-oom
--[[
Writes what Postgres says of a mailbox, as of a revision. An older revision than the stored one changes nothing; the
same one is written again.

ARGV[2]      mailbox
ARGV[3]      revision
ARGV[4]      paused, 0 or 1
ARGV[5]      gap in µs
ARGV[6]      cap on messages in flight
ARGV[7]      1 if parks follow, which then replace all that there are
ARGV[2i+6]   reason of park i
ARGV[2i+7]   until when in µs

Returns whether it was written, 1 or 0.
]]
local m, gate = ARGV[2], gate_key(ARGV[2])
if number(R('HGET', gate, 'revision')) > tonumber(ARGV[3]) then return 0 end
R('HSET', gate, 'revision', ARGV[3], 'paused', ARGV[4], 'gap', ARGV[5], 'cap', ARGV[6])
if ARGV[7] == '1' then
  R('HDEL', gate, 'park:limit', 'park:backoff', 'park:window')
  for i = 8, #ARGV, 2 do R('HSET', gate, 'park:' .. ARGV[i], ARGV[i + 1]) end
end
touch_gate(m)
return 1
