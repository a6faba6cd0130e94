"""What callers are told when a store is away."""

import psycopg
import psycopg.errors
import psycopg_pool
import sqlalchemy.exc
from maillane_chassis.errors import Failure, Unavailable

from maillane_scheduler.queue.connection import EvictsError, is_away
from maillane_scheduler.queue.errors import QueueUnavailable

RETRY_S = 1.0


def translate(error: Exception) -> Failure | None:
    """UNAVAILABLE with its reason where Postgres or Redis is away; None for what is a fault of ours."""
    if isinstance(error, EvictsError):
        return Unavailable(str(error), reason="REDIS_EVICTS")
    if isinstance(error, QueueUnavailable):
        return Unavailable("the delay queue is being rebuilt", reason="QUEUE_REBUILDING", retry_after_s=RETRY_S)
    if _is_of_a_full_disk(error):
        return Unavailable("Postgres's disk is full", reason="POSTGRES_DISK_FULL", retry_after_s=RETRY_S)
    if _postgres_is_away(error):
        return postgres_away()
    if is_away(error):
        return Unavailable("Redis does not answer", reason="REDIS_UNAVAILABLE", retry_after_s=RETRY_S)
    return None


def postgres_away() -> Failure:
    """Postgres refuses, or hangs."""
    return Unavailable("Postgres does not answer", reason="POSTGRES_UNAVAILABLE", retry_after_s=RETRY_S)


def _is_of_a_full_disk(error: Exception) -> bool:
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    return isinstance(cause, psycopg.errors.DiskFull)


def _postgres_is_away(error: Exception) -> bool:
    if isinstance(error, sqlalchemy.exc.TimeoutError | psycopg_pool.PoolTimeout):
        return True
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        error = error.orig if isinstance(error.orig, Exception) else error
    # OperationalError: lost or refused connections, a server that shuts down or starts, its disk full, a time-out.
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
