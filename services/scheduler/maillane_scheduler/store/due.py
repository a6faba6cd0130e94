"""When messages are due, in SQL: what `plan.due_us` is in Python."""

from datetime import UTC, datetime, timedelta

from maillane_scheduler.plan import MAX_DUE_US

LAST_TIME = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=MAX_DUE_US)
"""The end of time, as far as the queue knows: what is not to leave before somebody says so is due then."""
LAST = LAST_TIME.isoformat()
"""The same, for SQL."""


def time_sql(
    base: str = "l.base", ordinal: str = "m.ordinal", delay_us: str = "c.delay_us", retry_time: str = "m.retry_time"
) -> str:
    """The instant at which a message may leave, of columns by these names; null without a base (a draft)."""
    # least() and greatest() leave nulls out: without the CASE, what has no plan would be due at the end of time.
    planned = f"least({base} + {ordinal} * {delay_us} * interval '1 microsecond', timestamptz '{LAST}')"
    return f"CASE WHEN {base} IS NOT NULL THEN greatest({planned}, {retry_time}) END"


def us_sql(instant: str) -> str:
    """An instant, or null, in µs since the epoch: exactly, for Postgres extracts a numeric."""
    return f"(extract(epoch FROM {instant}) * 1000000)::bigint"


DUE_US = us_sql(time_sql())
"""The due time of message m in lane l of campaign c, in µs."""
