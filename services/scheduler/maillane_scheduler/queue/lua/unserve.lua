#!lua flags=allow-oom
--[[
Undoes the service of lanes whose claim was not handed out: their last service, and their gates', is again what it was
before that token, unless they were served since. Where there is no gap, nothing waits for a last service, and it stays.
With allow-oom: it writes a field or two, and a full server must not lose the pace of its lanes.

ARGV[2]      token of the claim
ARGV[2i+1]   mailbox of lane i
ARGV[2i+2]   campaign of lane i

Safe to repeat.
]]
for i = 3, #ARGV, 2 do
  local m, c = ARGV[i], ARGV[i + 1]
  for _, of in ipairs({'', ':' .. c}) do
    local h = R('HMGET', gate_key(m), 'by' .. of, 'before' .. of)
    if h[1] == ARGV[2] then
      R('HSET', gate_key(m), 'last' .. of, h[2])
      R('HDEL', gate_key(m), 'by' .. of, 'before' .. of)
    end
  end
  touch_lane(m, c)
  touch_gate(m)
end
