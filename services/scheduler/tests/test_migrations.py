"""The schema that the migrations make."""

from maillane_scheduler.store import migrate


def test_the_tables_of_the_code_are_those_that_the_migrations_make(database_url: str) -> None:
    """Columns, indexes and constraints."""
    assert migrate.differences(database_url) == []
