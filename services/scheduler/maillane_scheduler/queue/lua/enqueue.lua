#!lua
--[[
Puts messages into a lane. What waits there already gets the new due time; what is in flight is left alone.
Without allow-oom: at maxmemory it is refused as a whole, before anything is written.

ARGV[2]      mailbox
ARGV[3]      campaign
ARGV[4]      1: only into a lane that was configured, of a gate that was: else nothing is added
ARGV[2i+3]   message i, 8 bytes; at most 2,000
ARGV[2i+4]   its due time in µs

Returns how many the lane did not have, or -1 where it was not configured. Safe to repeat.
]]
local m, c = ARGV[2], ARGV[3]
if ARGV[4] == '1' then
  local told = R('HMGET', gate_key(m), 'cap', 'gap:' .. c)
  if not told[1] or not told[2] then return -1 end
end
local entries, flying = {}, {}
if R('EXISTS', flight_key(m)) == 1 then
  local messages = every(5, 2)
  for i, value in ipairs(R('HMGET', flight_key(m), unpack(messages))) do
    if value then flying[messages[i]] = true end
  end
end
for i = 5, #ARGV, 2 do
  if not flying[ARGV[i]] then
    entries[#entries + 1] = ARGV[i + 1]
    entries[#entries + 1] = ARGV[i]
  end
end
local added = variadic('ZADD', lane_key(m, c), entries)
touch_lane(m, c)
touch_gate(m)
return added
