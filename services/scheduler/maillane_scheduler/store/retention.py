"""Rows that nobody needs any more."""

from maillane_scheduler.store.engine import DispatchPool

# Deleted at a time, so that no purge holds locks or fills the log for long.
BATCH = 20_000
# Batches of a table in one purge: at one purge a minute, three times what claims and permits grow by at full speed.
MOST_BATCHES = 20
# Counters are restored from permits, over a day at most; claims are replayed within minutes; creates within a day.
_PURGES = tuple(
    f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {too_old} LIMIT {BATCH}))".encode()
    for table, too_old in (
        ("permits", "reserve_time < now() - interval '3 days'"),
        ("claims", "create_time < now() - interval '3 days' AND lease_until IS NULL"),
        ("requests", "create_time < now() - interval '3 days'"),
        ("imports", "expire_time < now() - interval '1 hour'"),
        ("parks", "until_time < now() - interval '1 hour'"),
        ("sessions", "expire_time < now()"),
        ("invitations", "expire_time < now() - interval '30 days'"),
        ("senders", "replace_time < now() - interval '30 days'"),
    )
)


async def purge(pool: DispatchPool) -> None:
    """Deletes some of what is too old to matter. Safe to repeat."""
    async with pool.connection() as connection:
        for statement in _PURGES:
            for _ in range(MOST_BATCHES):
                if (await connection.execute(statement)).rowcount < BATCH:
                    break
