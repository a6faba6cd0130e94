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

local function refund(reservation_id, refund_id, permits)
  if not epoch then return {0, 0, ''} end
  local ours = prefix(KEYS[1], epoch)
  local key = ours .. 'reservation:' .. reservation_id
  local known = redis.call('HMGET', key, 'left', 'until', 'buckets', 'backing', 'refund:' .. refund_id)
  if not known[1] or now >= tonumber(known[2]) then return {0, 0, ''} end
  if known[5] then
    local taken, returned = string.match(known[5], '^(%d+) (%d+)$')
    return {tonumber(taken), tonumber(returned), known[4]}
  end
  local taken, returned = math.min(permits, tonumber(known[1])), 0
  -- Not remembered, so that a reservation holds no more refund ids than permits: it stays 0 whenever it is repeated.
  if taken == 0 then return {0, 0, known[4]} end
  for i = 1, tonumber(known[3]) do
    returned = math.max(returned, give_back(ours, redis.call('HGET', key, 'bucket:' .. i), taken))
  end
  redis.call('HSET', key, 'left', tonumber(known[1]) - taken, 'refund:' .. refund_id, taken .. ' ' .. returned)
  return {taken, returned, known[4]}
end

local answers = {}
for i = 1, tonumber(ARGV[2]) do
  answers[i] = refund(ARGV[3 * i], ARGV[3 * i + 1], tonumber(ARGV[3 * i + 2]))
end
return answers
