#!lua flags=no-writes
--[[
What waits in lanes, and when lanes and gates were served last.

ARGV[2i]     mailbox of lane i
ARGV[2i+1]   campaign of lane i; at most 500 lanes

Returns {waiting, head, served, gate served, waiting, …}: per lane how many wait, the due time of the first of them, and
when it and its gate were served last; '' for what there is not.
]]
local found = {}
for i = 2, #ARGV, 2 do
  local m, c = ARGV[i], ARGV[i + 1]
  local head = R('ZRANGE', lane_key(m, c), 0, 0, 'WITHSCORES')
  local h = R('HMGET', gate_key(m), 'last:' .. c, 'last')
  found[#found + 1] = R('ZCARD', lane_key(m, c))
  found[#found + 1] = head[2] or ''
  found[#found + 1] = h[1] or ''
  found[#found + 1] = h[2] or ''
end
return found
