"""Brings a database's schema up to date."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from maillane_scheduler.store.engine import driver_url
from maillane_scheduler.store.tables import metadata

# Any number: held while steps run, so that schedulers that start together take turns.
_LOCK = 7_251_001


def upgrade(url: str) -> None:
    """Runs the missing steps, in one transaction. Safe to repeat, and to run from several processes at once.

    Args:
        url: `postgresql://…`, as `MAILLANE_POSTGRES_URL`.
    """
    engine = create_engine(driver_url(url))
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            command.upgrade(_config(connection), "head")
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
