from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from maillane_local.system import System

from .tenant import Tenant

Run = Callable[..., AbstractAsyncContextManager[Tenant]]


@pytest.fixture
async def shared(system: System) -> AsyncIterator[Tenant]:
    """A tenant of the system that the run shares: its parts stay alive, its mailboxes have addresses of their own."""
    async with Tenant(system) as tenant:
        yield tenant


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Starts a system of its own for a test, with overrides of its settings as keywords: `run(hour_s=5)`."""

    @asynccontextmanager
    async def started(**overrides: object) -> AsyncIterator[Tenant]:
        environment = {f"MAILLANE_{name.upper()}": str(value) for name, value in overrides.items()}
        async with System(tmp_path / "data", environment) as system, Tenant(system) as tenant:
            yield tenant

    return started
