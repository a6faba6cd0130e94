#!lua flags=no-writes
--[[
What is in flight in a mailbox.

ARGV[2]   mailbox

Returns {message, "<campaign>|<due>|<token>", message, …}
]]
return R('HGETALL', flight_key(ARGV[2]))
