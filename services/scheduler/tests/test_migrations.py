"""The schema that the migrations make."""

import psycopg
import pytest
from maillane_scheduler.store import migrate


def test_the_tables_of_the_code_are_those_that_the_migrations_make(database_url: str) -> None:
    """Columns, indexes and constraints."""
    assert migrate.differences(database_url) == []


def test_a_step_does_not_wait_for_a_table_that_is_in_use(database_url: str) -> None:
    """Every call would wait behind it: it fails at once, says so, and succeeds when it is run again."""
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(migrate.SchemaInUse, match=r"in use for 0\.1 s"):
            migrate.upgrade(database_url, lock_wait_s=0.1)

    migrate.upgrade(database_url, lock_wait_s=0.1)
