#!lua
--[[
Puts messages into a lane. What waits there already gets the new due time; what is in flight is left alone.
Without allow-oom: at maxmemory it is refused as a whole, before anything is written.

The messages come as two strings: an argument for each would cost both sides more than the rest of the script.

ARGV[2]  mailbox
ARGV[3]  campaign
ARGV[4]  1: only into a lane that was configured, of a gate that was: else nothing is added
ARGV[5]  messages, 8 bytes each; at most 2,000
ARGV[6]  their due times in µs, each a big-endian double

Returns how many the lane did not have, or -1 where it was not configured. Safe to repeat.
]]
local m, c = ARGV[2], ARGV[3]
if ARGV[4] == '1' then
  local told = R('HMGET', gate_key(m), 'cap', 'gap:' .. c)
  if not told[1] or not told[2] then return -1 end
end
local messages, entries, flying = {}, {}, {}
for at = 1, #ARGV[5], 8 do messages[#messages + 1] = ARGV[5]:sub(at, at + 7) end
if R('EXISTS', flight_key(m)) == 1 then
  for i, value in ipairs(R('HMGET', flight_key(m), unpack(messages))) do
    if value then flying[messages[i]] = true end
  end
end
for i, message in ipairs(messages) do
  if not flying[message] then
    entries[#entries + 1] = struct.unpack('>d', ARGV[6], 8 * i - 7)
    entries[#entries + 1] = message
  end
end
local added = variadic('ZADD', lane_key(m, c), entries)
touch_lane(m, c)
touch_gate(m)
return added
