#!lua flags=allow-oom
--[[
Ends flights: a message leaves flight if its token is the one that it flies under, and returns to its lane if a due time
comes with it. Any other token does nothing, and neither does the same one a second time.
With allow-oom: a full server must be able to empty itself.

ARGV[4i-2]   mailbox of item i
ARGV[4i-1]   message, 8 bytes; at most 1,000 items
ARGV[4i]     token
ARGV[4i+1]   due time in µs, or '' if it is not to come back

Returns how many left flight.
]]
local gates = {}
for i = 2, #ARGV, 4 do
  local gate = gates[ARGV[i]]
  if not gate then
    gate = {messages = {}, at = {}}
    gates[ARGV[i]] = gate
  end
  gate.messages[#gate.messages + 1] = ARGV[i + 1]
  gate.at[#gate.at + 1] = i
end

-- What leaves flight in one gate: the messages, and by campaign what returns. A message that is named twice leaves once.
local function leaving(m, gate)
  local gone, back, seen = {}, {}, {}
  for j, value in ipairs(R('HMGET', flight_key(m), unpack(gate.messages))) do
    local message, token, due = gate.messages[j], ARGV[gate.at[j] + 2], ARGV[gate.at[j] + 3]
    local c, flying = string.match(value or '', '^(%d+)|%d+|(%d+)$')
    if flying == token and not seen[message] then
      seen[message] = true
      gone[#gone + 1] = message
      if due ~= '' then
        local lane = back[c] or {}
        back[c] = lane
        lane[#lane + 1] = due
        lane[#lane + 1] = message
      end
    end
  end
  return gone, back
end

local done = 0
for m, gate in pairs(gates) do
  local gone, back = leaving(m, gate)
  if gone[1] then
    local leases = {}
    for j, message in ipairs(gone) do leases[j] = m .. '|' .. message end
    for c, entries in pairs(back) do variadic('ZADD', lane_key(m, c), entries) end
    variadic('HDEL', flight_key(m), gone)
    variadic('ZREM', P .. 'leases', leases)
    for c in pairs(back) do touch_lane(m, c) end
    touch_gate(m)
    done = done + #gone
  end
end
return done
