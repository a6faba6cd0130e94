"""What callers are told when a store is away."""

import psycopg
import psycopg.errors
import psycopg_pool
import sqlalchemy.exc
from maillane_chassis.errors import Failure, Unavailable

from maillane_scheduler.queue.connection import EvictsError, is_away
from maillane_scheduler.queue.errors import QueueUnavailable

RETRY_S = 1.0
# What stood in the way is over by then.
CONFLICT_RETRY_S = 0.1


def translate(error: Exception) -> Failure | None:
    """UNAVAILABLE with its reason where Postgres or Redis is away; None for what is a fault of ours."""
    if isinstance(error, EvictsError):
        return Unavailable(str(error), reason="REDIS_EVICTS")
    if isinstance(error, QueueUnavailable):
        return Unavailable("the delay queue is being rebuilt", reason="QUEUE_REBUILDING", retry_after_s=RETRY_S)
    if is_away(error):
        return Unavailable("Redis does not answer", reason="REDIS_UNAVAILABLE", retry_after_s=RETRY_S)
    return _of_postgres(error)


def postgres_away() -> Failure:
    """Postgres refuses, or hangs."""
    return Unavailable("Postgres does not answer", reason="POSTGRES_UNAVAILABLE", retry_after_s=RETRY_S)


def _of_postgres(error: Exception) -> Failure | None:
    if isinstance(error, sqlalchemy.exc.TimeoutError | psycopg_pool.PoolTimeout):
        return postgres_away()
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    if isinstance(cause, psycopg.errors.DiskFull):
        return Unavailable("Postgres's disk is full", reason="POSTGRES_DISK_FULL", retry_after_s=RETRY_S)
    if isinstance(cause, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
        # Postgres answers; it ended this call's transaction in favour of another.
        why = "another call changed the same at the same time; nothing was done"
        return Unavailable(why, reason="POSTGRES_CONFLICT", retry_after_s=CONFLICT_RETRY_S)
    # OperationalError: lost or refused connections, a server that shuts down or starts, a time-out.
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return postgres_away()
    return None
