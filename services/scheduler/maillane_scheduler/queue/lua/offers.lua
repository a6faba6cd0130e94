--[[
Put before the scripts that look for what is due: `look(slots)` returns {mailbox, campaign, count, mailbox, …} in serving
order (by gate score, then by lane score), and the first instant at which anything is due once all of it was taken
(math.huge: nothing waits for time).

A lane offers what is due and fits under its gate's cap, or one message if it has a gap; a gate with a gap offers one
message in all. Where the offers fill the slots, that instant is now, and nothing more is looked at.
]]
local function look(slots)
  local offers, left, next_us = {}, slots, math.huge

  local function offer(m)
    local lanes = R('ZRANGE', lanes_key(m), 0, left, 'WITHSCORES')  -- one more than can be offered: it bounds `next`
    local fields = {'gap', 'cap'}
    for i = 1, #lanes, 2 do fields[#fields + 1] = 'gap:' .. lanes[i] end
    local h = R('HMGET', gate_key(m), unpack(fields))
    local gap, room = number(h[1]), (tonumber(h[2]) or DEFAULT_CAP) - R('HLEN', flight_key(m))
    local turn, after = math.min(left, gap > 0 and 1 or room), math.huge
    for i = 1, #lanes, 2 do
      local c, score, lane_gap = lanes[i], tonumber(lanes[i + 1]), number(h[2 + (i + 1) / 2])
      if turn == 0 or score > now() then
        after = math.min(after, score)
        break
      end
      local count = lane_gap > 0 and 1 or math.min(turn, R('ZCOUNT', lane_key(m, c), '-inf', us(now())))
      offers[#offers + 1] = m
      offers[#offers + 1] = c
      offers[#offers + 1] = count
      turn, left, room = turn - count, left - count, room - count
      local head = left > 0 and R('ZRANGE', lane_key(m, c), count, count, 'WITHSCORES') or {}
      if head[1] then after = math.min(after, math.max(tonumber(head[2]), now() + lane_gap)) end
    end
    if room > 0 then next_us = math.min(next_us, math.max(after, now() + gap)) end
  end

  local gates = slots > 0 and R('ZRANGE', P .. 'gates', '-inf', us(now()), 'BYSCORE', 'LIMIT', 0, slots) or {}
  for _, m in ipairs(gates) do
    if left == 0 then break end
    offer(m)
  end
  if slots > 0 and left == 0 then
    next_us = now()
  else
    local rest = R('ZRANGE', P .. 'gates', #gates, #gates, 'WITHSCORES')
    if rest[1] then next_us = math.min(next_us, math.max(tonumber(rest[2]), now())) end
  end
  return offers, next_us
end
