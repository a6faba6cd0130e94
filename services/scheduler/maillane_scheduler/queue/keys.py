"""The names of the queue's keys and the form of their members: the one place, beside `lua/touch.lua`, that knows them.

All keys of a shard carry the hash tag `{<shard>}` and so lie in one slot. That is why a script is given one key, the
prefix, and makes the others from it: whichever key of the shard a cluster routes by, it routes to the same node.

    q:{s}:sentinel            HASH    generation, run_id
    q:{s}:wake                channel
    q:{s}:g<n>:gates          ZSET    mailbox -> next instant at which it can do something
    q:{s}:g<n>:g:<m>          HASH    the gate's and its lanes' flags, parks, gaps, last service, revisions
    q:{s}:g<n>:g:<m>:lanes    ZSET    campaign -> next instant at which that lane can do something
    q:{s}:g<n>:l:<m>:<c>      ZSET    message -> due time
    q:{s}:g<n>:g:<m>:flight   HASH    message -> "<campaign>|<due>|<token>"
    q:{s}:g<n>:leases         ZSET    "<mailbox>|<message>" -> end of the hand-over lease
    q:{s}:g<n>:c:<c>          SET     the mailboxes that have a lane of the campaign
    q:{s}:g<n>:c:<c>:state    HASH    revision, paused: what a lane that appears later starts with

Instants are µs since the epoch: scores are doubles, exact to the µs until the year 2255. Mailboxes and campaigns are
written in decimal, a message as 8 bytes big-endian, so that messages due at the same µs sort by id: campaign order.
"""

import struct
from collections.abc import Sequence

MESSAGE_BYTES = 8


def prefix(shard: int, generation: int) -> str:
    """What every key of one generation begins with."""
    return f"q:{{{shard}}}:g{generation}:"


def generations(shard: int) -> str:
    """A pattern for the keys of all generations of a shard."""
    return f"q:{{{shard}}}:g[0-9]*"


def generation_of(key: bytes) -> int:
    """The generation that a key which matches `generations` belongs to."""
    return int(key.split(b":", 3)[2][1:])


def gates(prefix: str) -> str:
    """The index of a generation's gates."""
    return f"{prefix}gates"


def leases(prefix: str) -> str:
    """The index of a generation's flights by when Postgres is to be asked about them."""
    return f"{prefix}leases"


def sentinel(shard: int) -> str:
    """The hash that says which generation is served."""
    return f"q:{{{shard}}}:sentinel"


def wake_channel(shard: int) -> str:
    """The channel on which a script says that something became due earlier than anything was."""
    return f"q:{{{shard}}}:wake"


def member(message: int) -> bytes:
    """A message's id as it stands in lanes and in flight."""
    return message.to_bytes(MESSAGE_BYTES, "big")


def members(messages: Sequence[int]) -> bytes:
    """The members of messages, one behind the other."""
    return struct.pack(f">{len(messages)}Q", *messages)


def message_id(raw: bytes) -> int:
    """The inverse of `member`."""
    return int.from_bytes(raw, "big")


def lease_member(mailbox: int, message: int) -> bytes:
    """A hand-over lease's member."""
    return b"%d|%b" % (mailbox, member(message))
