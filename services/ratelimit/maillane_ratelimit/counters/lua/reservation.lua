--[[
Put before the scripts that remember reservations.

  …:reservation:<id>           STRING   what was granted, never changed: a line each for until when it is known, the answer,
                                        the backing, then 'ends name' of each bucket in which it was counted
  …:reservation:<id>:refunds   HASH     made by the first refund: left, and for each refund id 'taken returned'
]]

local function reservation_key(of, id)
  return of .. 'reservation:' .. id
end

local function refunds_key(of, id)
  return of .. 'reservation:' .. id .. ':refunds'
end

-- What is known of a reservation, as a table of its lines' meanings, or nil where it is not, or no longer, known.
local function recall(of, id, now)
  local stored = redis.call('GET', reservation_key(of, id))
  if not stored then return nil end
  local lines = {}
  for line in string.gmatch(stored, '([^\n]*)\n') do lines[#lines + 1] = line end
  if now >= tonumber(lines[1]) then
    -- Kept a little longer than it is known: what was refunded of it must not show through one of the same id.
    redis.call('DEL', refunds_key(of, id))
    return nil
  end
  return {known_until = lines[1], answer = lines[2], backing = lines[3], buckets = {unpack(lines, 4)}}
end
