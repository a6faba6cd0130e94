"""Fixtures: one real Postgres for the run, and a database of its own for each test that asks.

Nothing is synced to disk: a test that is about a crash of Postgres starts a server of its own.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # imported by the fixtures instead: what they need takes a second to load
    from maillane_local.postgres import Postgres

TEMPLATE = "maillane_template"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A Postgres server that all tests of the run share."""
    from maillane_local.postgres import Postgres

    server = Postgres(
        tmp_path_factory.mktemp("postgres"),
        password="of-tests",
        settings={"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0"},
    )
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres) -> str:
    """The name of a database that is migrated and empty: databases are copied from it, never written to it."""
    from maillane_scheduler.store import migrate

    asyncio.run(postgres.ensure_database(TEMPLATE))
    migrate.upgrade(postgres.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(postgres: Postgres, migrated_template: str) -> Iterator[str]:
    """The URL of a database for this test only: migrated and empty."""
    with _database(postgres, migrated_template) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a database for this test only, without a table."""
    with _database(postgres, "template0") as url:
        yield url


@contextmanager
def _database(server: Postgres, template: str) -> Iterator[str]:
    """A database copied from another for the time of a with block."""
    name = f"test_{next(_numbers)}"
    _run(server, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
    try:
        yield server.url(name)
    finally:
        # By force: what a failed test left open must not fail the next.
        _run(server, "DROP DATABASE {} WITH (FORCE)", name)


def _run(server: Postgres, statement: str, *names: str) -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
