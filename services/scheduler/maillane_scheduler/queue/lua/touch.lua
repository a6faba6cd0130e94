--[[
What every command stands behind: the sentinel's check, the clock, the names of keys, and the two routines that keep the
indexes. Nothing else writes a score into `gates` or `g:<m>:lanes`.

KEYS[1]   the generation's prefix, "q:{shard}:g<generation>:". One key is enough: all keys of a shard carry its hash
          tag, so whatever a script makes from the prefix lies in the same slot. (keys.py lists them.)
ARGV[1]   now in µs for tests, or '' for the server's clock

Replies QUEUELOST where there is no sentinel and STALEGENERATION <current> where it names another generation, before
anything is read or written.

Scores, each a pure function of what is stored:
  lane = max(due time of its head, its parks, its last service + its gap); absent if empty or paused
  gate = max(score of its first lane, its parks, its last service + its gap); absent if no lane is there, paused, or at
         its cap
Last service counts without a gap too: it puts the lane that was just served behind those that were not.

Numbers: a µs number that Lua turns into text by itself becomes 1.79e+15, so `us` writes those that are joined to others
or returned; as an argument of a command a number is written exactly. Tokens have 63 bits, which a double has not, so they stay text.
]]
local P, R = KEYS[1], redis.call
local shard, generation = string.match(P, '^(.*:)g(%d+):$')
local served = R('HGET', shard .. 'sentinel', 'generation')
if not served then return redis.error_reply('QUEUELOST no sentinel') end
if served ~= generation then return redis.error_reply('STALEGENERATION ' .. served) end

-- In-flight messages of a mailbox that nobody configured.
local DEFAULT_CAP = 5

local function us(instant) return string.format('%d', instant) end
local function number(text) return tonumber(text) or 0 end

-- TIME moves while a script runs, so it is read once.
local time
local function now()
  if not time then
    time = tonumber(ARGV[1])
    if not time then
      local t = R('TIME')
      time = t[1] * 1000000 + t[2]
    end
  end
  return time
end

local function gate_key(m) return P .. 'g:' .. m end
local function lanes_key(m) return P .. 'g:' .. m .. ':lanes' end
local function flight_key(m) return P .. 'g:' .. m .. ':flight' end
local function lane_key(m, c) return P .. 'l:' .. m .. ':' .. c end
local function campaign_key(c) return P .. 'c:' .. c end
local function state_key(c) return P .. 'c:' .. c .. ':state' end

-- One command over many values. Lua's unpack fails near 8,000 of them; the batches of queue.py end at 4,000.
local function variadic(command, key, values)
  return values[1] and R(command, key, unpack(values)) or 0
end

-- ARGV from i on in steps, as a table.
local function every(i, step)
  local values = {}
  for j = i, #ARGV, step do values[#values + 1] = ARGV[j] end
  return values
end

-- A lane's first appearance in a gate: it starts with what is known of its campaign, whose commands find it from now on.
local function join(m, c)
  local state = R('HMGET', state_key(c), 'revision', 'paused')
  local paused = state[2] or '0'
  R('SADD', campaign_key(c), m)
  R('HSET', gate_key(m), 'paused:' .. c, paused, 'paused_revision:' .. c, state[1] or '0')
  return paused
end

-- A last service in the future means that the clock jumped back: it counts as now, and is stored so, for a score may
-- depend on nothing but what is stored.
local function clamped(m, field, text)
  local last = number(text)
  if last > 0 and last > now() then
    last = now()
    R('HSET', gate_key(m), field, us(last))
  end
  return last
end

-- The service that counts for a lane that is served now, and could have been since `score`. Late by up to this, or by a
-- tenth of its gap if that is less, it keeps its pace: a pick-up takes milliseconds, and a campaign of a thousand messages
-- would end a thousand of them late. What fell behind further is not caught up, so that nothing bursts; and a gate's gap,
-- on which its server may insist, has no such slack.
local MOST_SLACK = 50000
local function paced(score, gap)
  return math.max(score, now() - math.min(MOST_SLACK, math.floor(gap / 10)))
end

local function touch_lane(m, c)
  local last = 'last:' .. c
  local h = R('HMGET', gate_key(m), 'paused:' .. c, 'gap:' .. c, last,
    'park:limit:' .. c, 'park:backoff:' .. c, 'park:window:' .. c)
  local service = clamped(m, last, h[3])
  local head = R('ZRANGE', lane_key(m, c), 0, 0, 'WITHSCORES')
  if not head[1] or (h[1] or join(m, c)) == '1' then return R('ZREM', lanes_key(m), c) end
  R('ZADD', lanes_key(m), us(math.max(number(head[2]), service + number(h[2]),
    number(h[4]), number(h[5]), number(h[6]))), c)
end

-- The first gate's score before this script moved any, and whether the wake-up that an earlier one deserves was sent.
-- Whoever waits has its timer at that score or before, so only what is earlier than it is news.
local earliest, woken
local function touch_gate(m)
  if not earliest then earliest = tonumber(R('ZRANGE', P .. 'gates', 0, 0, 'WITHSCORES')[2]) or math.huge end
  local h = R('HMGET', gate_key(m), 'paused', 'gap', 'last', 'cap', 'park:limit', 'park:backoff', 'park:window')
  local service = clamped(m, 'last', h[3])
  local first = R('ZRANGE', lanes_key(m), 0, 0, 'WITHSCORES')
  if not first[1] or h[1] == '1' or R('HLEN', flight_key(m)) >= (tonumber(h[4]) or DEFAULT_CAP) then
    return R('ZREM', P .. 'gates', m)
  end
  local score = math.max(number(first[2]), service + number(h[2]), number(h[5]), number(h[6]), number(h[7]))
  R('ZADD', P .. 'gates', us(score), m)
  if score < earliest and not woken then
    woken = true
    R('PUBLISH', shard .. 'wake', '1')
  end
end
