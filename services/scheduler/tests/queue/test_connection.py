"""Which servers the queue runs on."""

from collections.abc import Awaitable, Callable

import pytest
from maillane_local.valkey import Valkey
from maillane_scheduler.queue.connection import EvictsError, open_client


async def test_a_server_that_may_drop_keys_is_refused(start_valkey: Callable[..., Awaitable[Valkey]]) -> None:
    """It would drop lanes when its memory is full: no command is sent to it."""
    server = await start_valkey(**{"maxmemory-policy": "allkeys-lru"})
    client = open_client(server.url, lambda _: None)
    try:
        with pytest.raises(EvictsError):
            await client.set("a", "b")
    finally:
        await client.aclose()
