--[[
Put before the scripts that end flights: `leave(first)` goes through the items in ARGV from `first` on, four arguments each:
mailbox, message (8 bytes), token, due time in µs or '' if it is not to come back. A message leaves flight if its token is
the one that it flies under, and returns to its lane if a due time comes with it. Any other token does nothing, and neither
does the same one a second time. Returns how many left flight.
]]

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

local function leave(first)
  local gates = {}
  for i = first, #ARGV, 4 do
    local gate = gates[ARGV[i]]
    if not gate then
      gate = {messages = {}, at = {}}
      gates[ARGV[i]] = gate
    end
    gate.messages[#gate.messages + 1] = ARGV[i + 1]
    gate.at[#gate.at + 1] = i
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
end
