#!lua flags=allow-oom
--[[
Moves leases: what Postgres says is still in flight is asked about again only after so long.
With allow-oom: it moves what is there.

ARGV[2]      from now, in µs
ARGV[2i+1]   mailbox i
ARGV[2i+2]   message i, 8 bytes

What is not in flight gets no lease. Safe to repeat.
]]
local lease_end, leases = us(now() + tonumber(ARGV[2])), {}
for i = 3, #ARGV, 2 do
  if R('HEXISTS', flight_key(ARGV[i]), ARGV[i + 1]) == 1 then
    leases[#leases + 1] = lease_end
    leases[#leases + 1] = ARGV[i] .. '|' .. ARGV[i + 1]
  end
end
variadic('ZADD', P .. 'leases', leases)
