"""A number of slots, handed out in the order of asking."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Slots:
    """Like a semaphore, first come first served, whose size can change while it is in use."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._used = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def unused(self) -> bool:
        """Whether nobody holds or waits for a slot."""
        return self._used == 0 and not self._waiting

    def resize(self, size: int) -> None:
        """Sets how many there are. Who holds one beyond that keeps it; nobody gets another until it is back."""
        self._size = size
        self._hand_out()

    async def __aenter__(self) -> None:
        if self._used < self._size and not self._waiting:
            self._used += 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.cancelled():
                self._waiting.remove(future)
                self._hand_out()  # Who came meanwhile queued up behind this one.
            else:
                self._give_back()  # Got it in the moment of giving up.
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._give_back()

    def _give_back(self) -> None:
        self._used -= 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self._used < self._size and (future := next((f for f in self._waiting if not f.done()), None)):
            # One that gave up takes itself off the queue as soon as it runs.
            self._waiting.remove(future)
            self._used += 1
            future.set_result(None)
