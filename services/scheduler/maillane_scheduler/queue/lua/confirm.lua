#!lua flags=allow-oom
--[[
Ends hand-over leases: Postgres has the claims, so from now on its leases count.

ARGV[i+1]   lease i, "<mailbox>|<message>"

Returns how many there were. Safe to repeat.
]]
return variadic('ZREM', P .. 'leases', every(2, 1))
