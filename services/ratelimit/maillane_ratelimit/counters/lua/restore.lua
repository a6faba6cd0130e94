--[[
Puts a workspace's counters in force under a new epoch. Those of older epochs are never read again, for the epoch is part
of every key; so nothing has to be found and deleted, and what an old snapshot brought back does no harm.

KEYS[1]   the workspace's sentinel
ARGV[1]   now in µs, or 0 for Redis's time
ARGV[2]   the new epoch, a decimal string without leading zeros
ARGV[3]   number of buckets, then for each: name after the epoch, permits, when it counts no longer (µs)

Returns {1, the new epoch}; or {0, the epoch in the sentinel} where that is not lower, and nothing changed.
]]

local now, epoch, stored = clock(ARGV[1]), ARGV[2], redis.call('HGET', KEYS[1], 'epoch')

-- Compared as strings, for an epoch may pass 2^53.
local function is_higher(one, other)
  if #one ~= #other then return #one > #other end
  return one > other
end

if stored and not is_higher(epoch, stored) then return {0, stored} end

local ours = prefix(KEYS[1], epoch)
for i = 1, tonumber(ARGV[3]) do
  local ends = tonumber(ARGV[3 * i + 3])
  if now < ends then
    redis.call('SET', ours .. ARGV[3 * i + 1], ARGV[3 * i + 2], 'PX', kept_ms(now, ends))
  end
end
local run_id, replication_id = server()
redis.call('HSET', KEYS[1], 'epoch', epoch, 'run_id', run_id, 'replication_id', replication_id)
redis.call('PEXPIRE', KEYS[1], SENTINEL_MS)
return {1, epoch}
