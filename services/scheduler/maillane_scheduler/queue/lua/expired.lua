#!lua flags=no-writes
--[[
Claims whose hand-over lease ran out, or will soon, by the end of their lease. Re-queues nothing: what became of them Postgres knows.

ARGV[2]   limit, >= 1
ARGV[3]   how soon, in µs, >= 0

Returns {mailbox, message, "<campaign>|<due>|<token>", mailbox, …}
]]
local reply, gates = {}, {}
for i, lease in ipairs(R('ZRANGE', P .. 'leases', '-inf', us(now() + tonumber(ARGV[3])), 'BYSCORE', 'LIMIT', 0, ARGV[2])) do
  local m, message = string.match(lease, '^(%d+)|(.*)$')
  local gate = gates[m] or {messages = {}, at = {}}
  gates[m] = gate
  gate.messages[#gate.messages + 1] = message
  gate.at[#gate.at + 1] = 3 * i
  reply[3 * i - 2], reply[3 * i - 1] = m, message
end
for m, gate in pairs(gates) do
  for j, value in ipairs(R('HMGET', flight_key(m), unpack(gate.messages))) do reply[gate.at[j]] = value end
end
return reply
