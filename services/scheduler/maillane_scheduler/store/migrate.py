"""Brings a database's schema up to date."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from maillane_scheduler.store.engine import driver_url
from maillane_scheduler.store.tables import metadata

# Any number: held while steps run, so that schedulers that start together take turns.
_LOCK = 7_251_001
# A step that waits for a table holds up every call behind it: rather it fails, and is tried again at a better time.
LOCK_WAIT_S = 5.0


class SchemaInUse(Exception):
    """Something holds a table that a step changes: a backup, a long query. Nothing was changed."""


def upgrade(url: str, lock_wait_s: float = LOCK_WAIT_S) -> None:
    """Runs the missing steps, in one transaction. Safe to repeat, and to run from several processes at once.

    Args:
        url: `postgresql://…`, as `MAILLANE_POSTGRES_URL`.

    Raises:
        SchemaInUse: a table was not free within `lock_wait_s`.
    """
    engine = create_engine(driver_url(url))
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            # Only from here on: schedulers that start together wait for one another as long as it takes.
            connection.execute(text(f"SET LOCAL lock_timeout = {round(lock_wait_s * 1000)}"))
            command.upgrade(_config(connection), "head")
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise SchemaInUse(f"a table was in use for {lock_wait_s:g} s; nothing was changed: try again") from error
        raise
    finally:
        engine.dispose()


def differences(url: str) -> list[object]:
    """What the tables of a database and those of the code do not share; empty when they agree."""
    engine = create_engine(driver_url(url))
    try:
        with engine.connect() as connection:
            return list(compare_metadata(MigrationContext.configure(connection), metadata))
    finally:
        engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
