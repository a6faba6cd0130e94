#!lua flags=no-writes
--[[
What lanes hold, and what they were told: for the check of lanes against Postgres.

ARGV[2i]     mailbox of lane i
ARGV[2i+1]   campaign of lane i; at most 500 lanes

Returns {waiting, flying, gate revision, lane revision, waiting, …}: per lane how many of its messages wait and how many are
in flight, and the revisions of mailbox and campaign that it follows; '' for one that it was never told. Three commands a lane.
]]
local found = {}
for i = 2, #ARGV, 2 do
  local m, c, flying = ARGV[i], ARGV[i + 1], 0
  for _, value in ipairs(R('HVALS', flight_key(m))) do
    if string.match(value, '^%d+') == c then flying = flying + 1 end
  end
  local told = R('HMGET', gate_key(m), 'revision', 'gap_revision:' .. c)
  found[#found + 1] = R('ZCARD', lane_key(m, c))
  found[#found + 1] = flying
  found[#found + 1] = told[1] or ''
  found[#found + 1] = told[2] or ''
end
return found
