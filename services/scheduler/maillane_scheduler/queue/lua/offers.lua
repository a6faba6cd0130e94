--[[
Put before the scripts that look for what is due: `look(slots)` returns {mailbox, campaign, count, mailbox, …} in serving
order (by gate score, then by lane score), and the first instant at which anything is due once all of it was taken
(math.huge: nothing waits for time).

A lane offers what is due and fits under its gate's cap, or one message if it has a gap; a gate with a gap offers one
message in all. Gates that are due share the slots evenly, so that a sender has some of each mailbox at hand; what some
do not use goes to those that have more, in their order. Where the offers fill the slots, that instant is now, and
nothing more is looked at.
]]

-- What gate m offers of at most `share` messages: the offers, how many messages they are, and when it is due after them
-- (of no use where they are all of the share).
local function offer(m, share)
  local lanes = R('ZRANGE', lanes_key(m), 0, share, 'WITHSCORES')  -- one more than can be offered: it bounds `after`
  local fields = {'gap', 'cap'}
  for i = 1, #lanes, 2 do fields[#fields + 1] = 'gap:' .. lanes[i] end
  local h = R('HMGET', gate_key(m), unpack(fields))
  local gap, room = number(h[1]), (tonumber(h[2]) or DEFAULT_CAP) - R('HLEN', flight_key(m))
  local turn, after, total, offers = math.min(share, gap > 0 and 1 or room), math.huge, 0, {}
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
    turn, total, room = turn - count, total + count, room - count
    local head = total < share and R('ZRANGE', lane_key(m, c), count, count, 'WITHSCORES') or {}
    if head[1] then after = math.min(after, math.max(tonumber(head[2]), paced(score, lane_gap) + lane_gap)) end
  end
  return {offers = offers, total = total, share = share, next_us = room > 0 and math.max(after, now() + gap) or math.huge}
end

local function look(slots)
  local gates = slots > 0 and R('ZRANGE', P .. 'gates', '-inf', us(now()), 'BYSCORE', 'LIMIT', 0, slots) or {}
  local found, left = {}, slots
  for i, m in ipairs(gates) do
    if left == 0 then break end
    found[i] = offer(m, math.ceil(left / (#gates - i + 1)))
    left = left - found[i].total
  end
  for i, m in ipairs(gates) do
    if left == 0 then break end
    if found[i].total == found[i].share then
      left = left + found[i].total
      found[i] = offer(m, left)
      left = left - found[i].total
    end
  end
  local offers, next_us = {}, math.huge
  for _, gate in ipairs(found) do
    for _, value in ipairs(gate.offers) do offers[#offers + 1] = value end
    next_us = math.min(next_us, gate.next_us)
  end
  if slots > 0 and left == 0 then
    next_us = now()
  else
    local rest = R('ZRANGE', P .. 'gates', #gates, #gates, 'WITHSCORES')
    if rest[1] then next_us = math.min(next_us, math.max(tonumber(rest[2]), now())) end
  end
  return offers, next_us
end
