--[[
Put before every script: the time, and whether the counters may be trusted.

Counters are trusted where the sentinel was written by this very run of this very server, and the server has been the
primary of one unbroken history since. It is asked here, inside the script, because no check beside it can exclude that
the server restarts, or that the connection moves to another one, between check and count. INFO takes about 12 µs a script.

  run_id          is new at each start: an append-only file synced each second may have lost a second of grants.
  master_replid   is new at each promotion, also of a server that was primary before under the same run_id, and whose data
                  came back to it from a replica that lagged. It is new as well when the first replica is attached, and an
                  hour after the last has gone: then nothing was lost, and the counters are restored once for nothing.
]]

-- The sentinel is kept longer than the oldest bucket counts (31 days, in 2 parts: 46.5 days), and renewed once a day.
local SENTINEL_MS, SENTINEL_RENEW_MS = 48 * 86400000, 47 * 86400000

-- Keys outlive their use by a minute, so that a clock that is stepped back a little finds its counters again.
local SLACK_MS = 60000

-- Numbers of more than 14 digits turn into 1.79e+15 by tostring and concatenation; those here are whole.
local function text(number)
  return string.format('%d', number)
end

-- Redis's time in µs, read once a script, for it moves on inside; tests give a time, everybody else '0'.
local function clock(given)
  if given ~= '0' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- The 40 hexadecimal digits behind a name. Found as plain text: a pattern over all of INFO costs as much as INFO itself.
local function id_in(info, name)
  local _, last = string.find(info, name, 1, true)
  return string.sub(info, last + 1, last + 40)
end

local function server()
  local info = redis.call('INFO', 'server', 'replication')
  return id_in(info, 'run_id:'), id_in(info, 'master_replid:')
end

-- The epoch in force (a decimal string, for it may pass 2^53), or nil where the counters are lost.
local function trusted_epoch(sentinel)
  local mark = redis.call('HMGET', sentinel, 'epoch', 'run_id', 'replication_id')
  local run_id, replication_id = server()
  if mark[1] and mark[2] == run_id and mark[3] == replication_id then return mark[1] end
  return nil
end

-- The start of all other names: the sentinel's key without its last word, and the epoch.
local function prefix(sentinel, epoch)
  return string.sub(sentinel, 1, -6) .. 'e' .. epoch .. ':'
end

local function kept_ms(now, until_us)
  return text(math.ceil((until_us - now) / 1000) + SLACK_MS)
end
