"""Whether the limiter can count: it serves while its Redis answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.asyncio import Redis

LOOK_S: Final = 2.5
"""Between two looks: what health says is at most this old. Who calls meanwhile hears of it at once."""

ANSWER_S: Final = 1.5
"""For an answer: a server that hangs is found out within two looks."""

_log = structlog.get_logger(__name__)


async def follow(client: Redis, set_serving: Callable[[bool], None], stop: asyncio.Event) -> None:
    """Tells whether Redis answers, at each look, and logs each change, until the event is set."""
    told: bool | None = None
    while not stop.is_set():
        answers = await _answers(client, told=told)
        if answers is not told:
            set_serving(answers)
            told = answers
        try:
            await asyncio.wait_for(stop.wait(), LOOK_S)
        except TimeoutError:
            continue


async def _answers(client: Redis, *, told: bool | None) -> bool:
    try:
        async with asyncio.timeout(ANSWER_S):
            await client.ping()
    except (RedisError, TimeoutError) as error:
        if told is not False:
            _log.warning("redis_unavailable", error=type(error).__name__, message=str(error))
        return False
    if told is not True:
        _log.info("redis_available")
    return True
