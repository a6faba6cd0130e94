--[[
What counts now, for allowances of one workspace. Writes nothing; without allowances it only says whether the counters are
there.

KEYS[1]   the workspace's sentinel
ARGV[1]   now in µs, or 0 for Redis's time
ARGV[2]   number of counters, then for each: counter, length, offset, parts

Returns nil where the counters are lost; else for each {permits used, the end of the current bucket, when the oldest leaves}.
]]

local now = clock(ARGV[1])
local epoch = trusted_epoch(KEYS[1])
if not epoch then return nil end

local answers = {}
for i = 1, tonumber(ARGV[2]) do
  local at = 4 * i - 1
  local allowance = {
    counter = ARGV[at], length = tonumber(ARGV[at + 1]), offset = tonumber(ARGV[at + 2]), parts = tonumber(ARGV[at + 3]),
  }
  local number = bucket_at(allowance, now)
  local _, total = used_in(prefix(KEYS[1], epoch), allowance, number)
  answers[i] = {total, bucket_start(allowance, number + 1)}
end
return answers
