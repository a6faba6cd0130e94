"""Watching: one look every now and then at what somebody watches, however many do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from maillane_chassis.errors import ResourceExhausted, Unavailable

# Clients come back to another scheduler.
AGAIN_AFTER_S = 1.0

Key = TypeVar("Key", bound=int | tuple[int, int])
Seen = TypeVar("Seen")


class _Watch(Generic[Seen]):
    """What is known of one of the watched, and who waits for more."""

    def __init__(self) -> None:
        self.watchers = 0
        self.latest: Seen | None = None
        self.failure: Exception | None = None
        self.changed = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def tell(self, *, latest: Seen | None = None, failure: Exception | None = None) -> None:
        """Wakes all watchers up; the next change has an event of its own."""
        self.latest = latest or self.latest
        self.failure = failure
        self.changed.set()
        self.changed = asyncio.Event()


class Watches(Generic[Key, Seen]):
    """Of one kind, shared by all streams of a process.

    Args:
        look: what the one under a key is like now; what it raises ends the streams.
        is_over: it does not change any more.
        every_s: from one look to the next.
        most: watched at once, each by any number of streams.
    """

    def __init__(
        self,
        look: Callable[[Key], Awaitable[Seen]],
        *,
        is_over: Callable[[Seen], bool] = lambda _: False,
        every_s: float,
        most: int,
    ) -> None:
        self._look_at = look
        self._is_over = is_over
        self._every_s = every_s
        self._most = most
        self._watches: dict[Key, _Watch[Seen]] = {}

    async def follow(self, key: Key) -> AsyncIterator[Seen]:
        """Gives what is watched at once, then whenever it has changed, until it is over; who is slow gets the latest.

        Raises:
            ResourceExhausted: TOO_MANY_WATCHES.
            Unavailable: this process stops.
            Exception: whatever a look raises.
        """
        watch = self._join(key)
        seen: Seen | None = None
        try:
            while True:
                changed = watch.changed
                if watch.failure is not None:
                    raise watch.failure
                if watch.latest is not seen and watch.latest is not None:
                    seen = watch.latest
                    yield seen
                    if self._is_over(seen):
                        return
                elif watch.changed is changed:
                    await changed.wait()
        finally:
            self._leave(key, watch)

    def close(self) -> None:
        """Ends all streams: before a server is stopped, which waits for them otherwise."""
        for watch in self._watches.values():
            watch.tell(failure=Unavailable("this server stops", retry_after_s=AGAIN_AFTER_S))

    def _join(self, key: Key) -> _Watch[Seen]:
        watch = self._watches.get(key)
        if watch is None:
            if len(self._watches) >= self._most:
                raise ResourceExhausted(f"{self._most} others are watched already", reason="TOO_MANY_WATCHES")
            watch = self._watches[key] = _Watch()
            watch.task = asyncio.create_task(self._look(key, watch))
        watch.watchers += 1
        return watch

    def _leave(self, key: Key, watch: _Watch[Seen]) -> None:
        watch.watchers -= 1
        if watch.watchers == 0 and self._watches.get(key) is watch:
            del self._watches[key]
            if watch.task is not None:
                watch.task.cancel()

    async def _look(self, key: Key, watch: _Watch[Seen]) -> None:
        try:
            # Also where its cancellation was lost: nobody watches a watch again that was left by all.
            while watch.watchers and (watch.latest is None or not self._is_over(watch.latest)):
                found = await self._look_at(key)
                if found != watch.latest:
                    watch.tell(latest=found)
                await asyncio.sleep(self._every_s)
        except Exception as error:  # noqa: BLE001 - raised in each of the streams
            self._fail(key, watch, error)

    def _fail(self, key: Key, watch: _Watch[Seen], error: Exception) -> None:
        # Who comes from now on has a look of its own.
        if self._watches.get(key) is watch:
            del self._watches[key]
        watch.tell(failure=error)
