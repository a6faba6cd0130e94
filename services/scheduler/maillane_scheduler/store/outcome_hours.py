"""What was sent, failed and became unconfirmed by the hour: sums of attempts, kept once an hour is over.

So what a look at some weeks costs does not grow with the mails in them, but for those of the last hour or two.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.states import MessageState
from maillane_scheduler.store.engine import DispatchPool

# An attempt is written by a statement that began in its hour, which no statement outlives by so much.
SETTLED_MINUTES = 10
# Hours summed at once. A deployment that has not summed for a while catches up within minutes.
MOST_HOURS = 48

# Where nothing was summed yet, there is nothing before the first campaign.
_NEXT = f"""
SELECT begin FROM (
  SELECT coalesce((SELECT until_time FROM summed_hours),
                  (SELECT date_trunc('hour', min(create_time), 'UTC') FROM campaigns)) AS begin
) AS next WHERE begin <= statement_timestamp() - interval '1 hour {SETTLED_MINUTES} minutes'
""".encode()
# An attempt whose campaign is gone counts nowhere, and must not keep all others from being summed.
_SUM = f"""
WITH summed AS (
  INSERT INTO summed_hours (id, until_time) VALUES (1, $1::timestamptz + interval '1 hour')
  ON CONFLICT (id) DO UPDATE SET until_time = excluded.until_time WHERE summed_hours.until_time = $1::timestamptz
  RETURNING true
)
INSERT INTO outcome_hours (campaign_id, hour, mailbox_id, sent, failed, unconfirmed)
SELECT campaign_id, $1::timestamptz, mailbox_id, count(*) FILTER (WHERE state = {MessageState.SENT:d}),
       count(*) FILTER (WHERE state = {MessageState.FAILED:d}),
       count(*) FILTER (WHERE state = {MessageState.UNCONFIRMED:d})
FROM attempts
WHERE EXISTS (SELECT FROM summed)
  AND settle_time >= $1::timestamptz AND settle_time < $1::timestamptz + interval '1 hour'
  AND EXISTS (SELECT FROM campaigns c WHERE c.id = campaign_id)
GROUP BY campaign_id, mailbox_id
""".encode()
_MAILBOX = "(CAST(:mailbox AS int) IS NULL OR mailbox_id = :mailbox)"
# Hours that were summed and lie within what is asked as a whole; and the attempts of what is left.
_BETWEEN = text(f"""
WITH t AS (
  SELECT begin, "end", least(until, date_trunc('hour', "end", 'UTC')) AS until FROM (
    SELECT to_timestamp(:start_us / 1000000.0) AS begin, to_timestamp(:end_us / 1000000.0) AS "end",
           coalesce((SELECT until_time FROM summed_hours), '-infinity') AS until) AS asked
), found AS (
  SELECT h.hour, h.sent, h.failed, h.unconfirmed FROM t, outcome_hours h
  WHERE h.campaign_id = ANY(CAST(:campaigns AS bigint[])) AND h.hour >= t.begin AND h.hour < t.until AND {_MAILBOX}
  UNION ALL
  SELECT date_trunc('hour', a.settle_time, 'UTC'), (a.state = {MessageState.SENT:d})::int,
         (a.state = {MessageState.FAILED:d})::int, (a.state = {MessageState.UNCONFIRMED:d})::int
  FROM t, unnest(CAST(:campaigns AS bigint[])) AS c(id) CROSS JOIN LATERAL (
    SELECT settle_time, state FROM attempts
    WHERE campaign_id = c.id AND settle_time >= greatest(t.begin, t.until) AND settle_time < t."end" AND {_MAILBOX}
  ) AS a
)
SELECT (extract(epoch FROM hour) * 1000000)::bigint, sum(sent)::int, sum(failed)::int, sum(unconfirmed)::int
FROM found GROUP BY hour ORDER BY hour
""")


async def sum_up(pool: DispatchPool) -> int:
    """Sums the hours that are over, the oldest first, up to MOST_HOURS of them; returns how many.

    Each in one statement, and only by who is first. Should Postgres's clock go back by an hour or more, what is settled
    in an hour that was summed is missing in its sum.
    """
    async with pool.connection() as connection:
        for number in range(MOST_HOURS):
            row = await (await connection.execute(_NEXT)).fetchone()
            if row is None:
                return number
            begin: datetime = row[0]
            await connection.execute(_SUM, (begin,))
    return MOST_HOURS


async def between(
    connection: AsyncConnection, campaigns: Sequence[int], mailbox: int | None, start_us: int, end_us: int
) -> dict[int, tuple[int, int, int]]:
    """What was sent, failed and became unconfirmed in each hour of UTC of [start, end), by the hour's begin in µs.

    Args:
        start_us: the begin of an hour.
    """
    of = {"campaigns": list(campaigns), "mailbox": mailbox, "start_us": start_us, "end_us": end_us}
    rows = await connection.execute(_BETWEEN, of)
    return {hour: (sent, failed, unknown) for hour, sent, failed, unknown in rows}
