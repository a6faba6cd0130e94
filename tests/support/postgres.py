"""Fixtures: one real Postgres for the run, and a database of its own for each test that asks.

Nothing is synced to disk: a test that is about a crash of Postgres starts a server of its own.
"""

import asyncio
import itertools
from collections.abc import Iterator

import psycopg
import pytest
from maillane_local.postgres import Postgres
from psycopg import sql

TEMPLATE = "maillane_template"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A Postgres server that all tests of the run share."""
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
    # Imported here, so that tests which need no scheduler do not load it.
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


class _database:  # noqa: N801  # used as a function
    """A database copied from another for the time of a with block."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server = server
        self._template = template
        self._name = f"test_{next(_numbers)}"

    def __enter__(self) -> str:
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", self._name, self._template)
        return self._server.url(self._name)

    def __exit__(self, *_: object) -> None:
        # What a failed test left open must not fail the next.
        self._run("DROP DATABASE {} WITH (FORCE)", self._name)

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
