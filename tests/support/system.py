"""Fixtures: the whole system over real processes, shared by the run or a test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:  # imported by the fixtures instead: what it needs takes a second to load, which few tests should wait
    from maillane_local.system import System

StartSystem: TypeAlias = "Callable[..., Awaitable[System]]"
"""Starts a system with settings given as keywords, say start_system(MAILLANE_HOUR_S="5")."""


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that all tests of the run share: they leave its parts alive, and tell their own campaigns apart."""
    from maillane_local.system import System

    shared = System(tmp_path_factory.mktemp("system"))
    # A system is bound to no event loop, so it may start in one and stop in another.
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(shared.stop())


@pytest.fixture
async def start_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StartSystem]:
    """Starts systems of this test's own, to kill and wipe; they are stopped after it."""
    from maillane_local.system import System

    systems: list[System] = []

    async def start(**overrides: str) -> System:
        own = System(tmp_path_factory.mktemp("system"), overrides)
        systems.append(own)
        return await own.__aenter__()

    yield start
    for own in systems:
        await own.stop()
