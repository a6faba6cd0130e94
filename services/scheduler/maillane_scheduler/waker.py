"""Wakes long polls: when the first message comes due, when something changed, and each second to be sure."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable

# A look each second or so, whatever was or was not heard: what a lost hint costs at most.
LOOK_S = (0.9, 1.4)


class Waker:
    """One timer and a line of waiting polls. A wake-up reaches one poll; whoever finds more left wakes the next.

    For one event loop.
    """

    def __init__(self) -> None:
        self._line: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        # A wake-up that found nobody waiting: the next one to wait does not sleep on it.
        self._owed = False
        # The last look that began, and the one whose finding the timer is set to.
        self._looks = 0
        self._armed_by = 0

    async def wait(self, at_most_s: float) -> None:
        """Returns when it is this poll's turn to look, or after `at_most_s`. Cancelling it passes its turn on."""
        if self._owed:
            self._owed = False
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            # asyncio.wait leaves the future as it is, so that a turn given in the last moment is seen, and not lost.
            await asyncio.wait([turn], timeout=at_most_s)
        except asyncio.CancelledError:
            if turn.done():
                self.wake()
            raise
        finally:
            turn.cancel()

    def wake(self) -> None:
        """Something may be due: the poll that has waited longest looks."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._owed = True

    def wake_all(self) -> None:
        """Every poll looks."""
        for turn in self._line:
            if not turn.done():
                turn.set_result(None)
        self._line.clear()
        self._owed = True

    def begin_look(self) -> int:
        """A poll begins to look; returns the number of the look, for what it finds."""
        self._looks += 1
        return self._looks

    def arm(self, look: int, in_s: float | None) -> None:
        """Sets the timer to the next instant at which anything can be due; None: nothing waits for time.

        What an earlier look found, and was told of later, is news no more: it may not know of what came in between.
        Whatever comes after the later one began wakes another.
        """
        if look < self._armed_by:
            return
        self._armed_by = look
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if in_s is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, in_s), self.wake)

    async def keep_looking(self, is_due: Callable[[float], Awaitable[bool]]) -> None:
        """Wakes a poll each second or so where something is due, for ever: run it as a task.

        Args:
            is_due: whether anything may be due within so many seconds, the time until the next look. It is asked only
                where somebody waits, for it costs less than a poll's own look.
        """
        while True:
            await asyncio.sleep(random.uniform(*LOOK_S))
            if self._line and await is_due(LOOK_S[1]):
                self.wake()
