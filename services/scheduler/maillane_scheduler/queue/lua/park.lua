#!lua flags=allow-oom
--[[
Sets a gate or a lane aside until an instant, for one reason. The same few commands whatever waits behind it.
With allow-oom: it writes one field, and a full server must not run into a limit again and again.

ARGV[2]   mailbox
ARGV[3]   campaign, or '' for the gate
ARGV[4]   reason: limit, backoff or window
ARGV[5]   until when in µs; 0 lifts the park of that reason
]]
local m, c = ARGV[2], ARGV[3]
local field = 'park:' .. ARGV[4] .. (c ~= '' and ':' .. c or '')
if ARGV[5] == '0' then R('HDEL', gate_key(m), field) else R('HSET', gate_key(m), field, ARGV[5]) end
if c ~= '' then touch_lane(m, c) end
touch_gate(m)
