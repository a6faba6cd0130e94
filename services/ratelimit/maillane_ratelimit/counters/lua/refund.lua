--[[
Gives permits back to the buckets in which they were counted: never more in all than is left of a reservation, nothing to
a bucket that counts no longer. A refund id that is known answers as it did at first, and changes nothing. Where the
counters are lost, or a later epoch is in force, the reservation is not there, and nothing happens.

It runs when memory is full as well: it frees more than it takes.

KEYS[1]   the workspace's sentinel
ARGV[1]   now in µs, or 0 for Redis's time
ARGV[2]   number of refunds, then for each: reservation id, refund id, permits >= 1

Returns for each refund {permits taken off the reservation, of which came back to a bucket here (all or none), backing}.
]]

local now, epoch = clock(ARGV[1]), trusted_epoch(KEYS[1])

local function give_back(ours, bucket, permits)
  local ends, name = string.match(bucket, '^(%d+) (.*)$')
  -- A bucket that expired must not come to life as a debt.
  if now >= tonumber(ends) or redis.call('EXISTS', ours .. name) == 0 then return 0 end
  redis.call('DECRBY', ours .. name, permits)
  return permits
end

local function refund(id, refund_id, permits)
  if not epoch then return {0, 0, ''} end
  local ours = prefix(KEYS[1], epoch)
  local known, refunds = recall(ours, id, now), refunds_key(ours, id)
  if not known then return {0, 0, ''} end
  local before = redis.call('HMGET', refunds, 'left', 'refund:' .. refund_id)
  if before[2] then
    local taken, returned = string.match(before[2], '^(%d+) (%d+)$')
    return {tonumber(taken), tonumber(returned), known.backing}
  end
  local left = tonumber(before[1] or string.match(known.answer, '^%d+'))
  local taken, returned = math.min(permits, left), 0
  -- Not remembered, so that a reservation holds no more refund ids than permits: it stays 0 whenever it is repeated.
  if taken == 0 then return {0, 0, known.backing} end
  for _, bucket in ipairs(known.buckets) do returned = math.max(returned, give_back(ours, bucket, taken)) end
  redis.call('HSET', refunds, 'left', left - taken, 'refund:' .. refund_id, taken .. ' ' .. returned)
  redis.call('PEXPIRE', refunds, kept_ms(now, tonumber(known.known_until)))
  return {taken, returned, known.backing}
end

local answers = {}
for i = 1, tonumber(ARGV[2]) do
  answers[i] = refund(ARGV[3 * i], ARGV[3 * i + 1], tonumber(ARGV[3 * i + 2]))
end
return answers
