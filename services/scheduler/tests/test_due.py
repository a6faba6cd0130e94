"""Due times in SQL, held to those in Python."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from maillane_local.postgres import Postgres
from maillane_scheduler import plan
from maillane_scheduler.store.due import time_sql, us_sql

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BASE_US = 1_790_000_000_123_457
DAY_US = 86_400_000_000


@pytest.mark.parametrize("ordinal", [0, 1, 3, 77_777, 9_999_999])
@pytest.mark.parametrize("delay_us", [0, 1, 1_000_001, DAY_US])
@pytest.mark.parametrize("retry_us", [None, 0, BASE_US + 5, BASE_US + 365 * DAY_US])
def test_postgres_and_python_agree_about_what_is_due_when(
    postgres: Postgres, migrated_template: str, ordinal: int, delay_us: int, retry_us: int | None
) -> None:
    """To the microsecond, also where the plan ends after the last instant that the queue can hold."""
    statement = f"SELECT {us_sql(time_sql('%s::timestamptz', '%s::int', '%s::bigint', '%s::timestamptz'))}"
    retry = None if retry_us is None else EPOCH + timedelta(microseconds=retry_us)
    base = EPOCH + timedelta(microseconds=BASE_US)
    with psycopg.connect(postgres.url(migrated_template)) as connection:
        [(found,)] = connection.execute(statement, (base, base, ordinal, delay_us, retry)).fetchall()

    assert found == plan.due_us(BASE_US, ordinal, delay_us, retry_us)


def test_what_has_no_plan_is_not_due(postgres: Postgres, migrated_template: str) -> None:
    """Not even at the end of time."""
    statement = f"SELECT {us_sql(time_sql('NULL::timestamptz', '1', '1', 'now()'))}"
    with psycopg.connect(postgres.url(migrated_template)) as connection:
        assert connection.execute(statement).fetchall() == [(None,)]
