"""Watching campaigns: one look each half second at a campaign that somebody watches, however many do."""

import asyncio
from collections.abc import AsyncIterator

from maillane_chassis.errors import ResourceExhausted, Unavailable
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.campaign import Campaign
from maillane_scheduler.store import campaigns

EVERY_S = 0.5
# Campaigns at once that one process looks at: 400 short reads a second.
MAX_CAMPAIGNS = 200
# Clients come back to another scheduler.
AGAIN_AFTER_S = 1.0

_Key = tuple[int, int]


class _Watch:
    """What is known of one campaign, and who waits for more."""

    def __init__(self) -> None:
        self.watchers = 0
        self.latest: Campaign | None = None
        self.failure: Exception | None = None
        self.changed = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def tell(self, *, latest: Campaign | None = None, failure: Exception | None = None) -> None:
        """Wakes all watchers up; the next change has an event of its own."""
        self.latest = latest or self.latest
        self.failure = failure
        self.changed.set()
        self.changed = asyncio.Event()


class Watches:
    """Shared by all streams of a process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._watches: dict[_Key, _Watch] = {}

    async def follow(self, workspace_id: int, campaign_id: int) -> AsyncIterator[Campaign]:
        """Gives a campaign at once, then whenever it has changed, until it has ended; who is slow gets the latest.

        Raises:
            NotFound: the workspace has no such campaign (any more).
            ResourceExhausted: too many campaigns are watched.
            Unavailable: this process stops.
        """
        key = (workspace_id, campaign_id)
        watch = self._join(key)
        seen: Campaign | None = None
        try:
            while True:
                changed = watch.changed
                if watch.failure is not None:
                    raise watch.failure
                if watch.latest is not seen and watch.latest is not None:
                    seen = watch.latest
                    yield seen
                    if _is_over(seen):
                        return
                elif watch.changed is changed:
                    await changed.wait()
        finally:
            self._leave(key, watch)

    def close(self) -> None:
        """Ends all streams: before a server is stopped, which waits for them otherwise."""
        for watch in self._watches.values():
            watch.tell(failure=Unavailable("this server stops", retry_after_s=AGAIN_AFTER_S))

    def _join(self, key: _Key) -> _Watch:
        watch = self._watches.get(key)
        if watch is None:
            if len(self._watches) >= MAX_CAMPAIGNS:
                raise ResourceExhausted("too many campaigns are watched", reason="TOO_MANY_WATCHES")
            watch = self._watches[key] = _Watch()
            watch.task = asyncio.create_task(self._look(key, watch))
        watch.watchers += 1
        return watch

    def _leave(self, key: _Key, watch: _Watch) -> None:
        watch.watchers -= 1
        if watch.watchers == 0 and self._watches.get(key) is watch:
            del self._watches[key]
            if watch.task is not None:
                watch.task.cancel()

    async def _look(self, key: _Key, watch: _Watch) -> None:
        try:
            while watch.latest is None or not _is_over(watch.latest):
                async with self._engine.connect() as connection:
                    campaign = await campaigns.get(connection, *key)
                if campaign != watch.latest:
                    watch.tell(latest=campaign)
                await asyncio.sleep(EVERY_S)
        except Exception as error:  # noqa: BLE001 - raised in each of the streams
            self._fail(key, watch, error)

    def _fail(self, key: _Key, watch: _Watch, error: Exception) -> None:
        # Who comes from now on has a look of its own.
        if self._watches.get(key) is watch:
            del self._watches[key]
        watch.tell(failure=error)


def _is_over(campaign: Campaign) -> bool:
    """Ended, and its counts say so too: those of a cancelled one follow within moments."""
    return campaign.state.ended and campaign.counts.pending == 0
