"""No wake-up is lost, whatever polls come, look, work and go away meanwhile. Time is virtual."""

import asyncio
import random
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maillane_scheduler.waker import Waker

LOOK_S = 0.005
"""A look takes up to so long: whatever changes in between is not in it, and one may be overtaken by another."""

LATE_S = 0.1
"""For items that come due together, one look after another. A lost wake-up shows as thousands of seconds."""

HORIZON_S = 10_000.0


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in which waiting takes no time: the clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())
        self.now_s = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None = None) -> Any:
            self.now_s += timeout or 0.0
            return select(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now_s


class Polls:
    """Polls that look for what is due, as the dispatcher does: look, arm, take or wait."""

    def __init__(self, chance: random.Random) -> None:
        self.waker = Waker()
        self._chance = chance
        self.waiting: list[float] = []
        self.lags: list[float] = []

    def add(self, due_s: float) -> None:
        self.waiting.append(due_s)
        self.waker.wake()

    async def poll(self, slots: int, work_s: float) -> None:
        while True:
            # Shielded, as a cycle is: a poll that goes away does not cut a look.
            if await asyncio.shield(asyncio.create_task(self._look(slots))):
                await asyncio.sleep(work_s)
            else:
                await self.waker.wait(HORIZON_S)

    async def _look(self, slots: int) -> bool:
        """Takes what is due; returns whether there was anything."""
        look = self.waker.begin_look()
        await asyncio.sleep(self._chance.uniform(0, LOOK_S))
        now = asyncio.get_running_loop().time()
        due = sorted(at for at in self.waiting if at <= now)[:slots]
        for at in due:
            self.waiting.remove(at)
            self.lags.append(now - at)
        next_s = min(self.waiting, default=None)
        await asyncio.sleep(self._chance.uniform(0, LOOK_S))
        self.waker.arm(look, None if next_s is None else max(0.0, next_s - now))
        if due:
            self.waker.wake()
        return bool(due)


steps = st.lists(
    st.tuples(
        st.floats(0, 5).map(lambda s: round(s, 3)),
        st.sampled_from(["add", "add", "leave"]),
        st.floats(0, 20),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(steps=steps, busy=st.integers(0, 4), chance=st.randoms(use_true_random=False))
def test_what_comes_due_is_taken_at_once(
    steps: list[tuple[float, str, float, int]], busy: int, chance: random.Random
) -> None:
    """While one poll is free, nothing waits for the look that comes each second to be sure."""
    polls = Polls(chance)

    async def history() -> None:
        # One is always free; the others take one item each, are busy with it, and are cut off now and then.
        steady = asyncio.create_task(polls.poll(3, 0.0))
        others = [asyncio.create_task(polls.poll(1, 3.0)) for _ in range(busy)]
        for pause_s, what, in_s, which in steps:
            await asyncio.sleep(pause_s)
            if what == "add":
                polls.add(asyncio.get_running_loop().time() + round(in_s, 3))
            elif which < busy:
                await _cancelled(others[which])
                others[which] = asyncio.create_task(polls.poll(1, 3.0))
        await asyncio.sleep(HORIZON_S - 1)
        for task in (steady, *others):
            await _cancelled(task)

    _run(history())

    assert polls.waiting == []
    assert max(polls.lags, default=0.0) <= LATE_S


def test_a_poll_that_is_cut_off_passes_its_turn_on() -> None:
    """It was woken and cancelled in one moment: the next in line looks."""

    async def history() -> bool:
        waker = Waker()
        first, second = (asyncio.create_task(waker.wait(HORIZON_S)) for _ in range(2))
        await asyncio.sleep(0)
        waker.wake()
        await _cancelled(first)
        await asyncio.sleep(LATE_S)
        return second.done()

    assert _run(history())


def test_a_wake_up_while_nobody_waits_is_owed() -> None:
    """It came while the only poll was looking, and was not in what that saw: it looks again at once."""

    async def history() -> float:
        waker = Waker()
        waker.wake()
        await waker.wait(HORIZON_S)
        return asyncio.get_running_loop().time()

    assert _run(history()) == 0


def test_a_poll_that_no_hint_reached_looks_within_seconds() -> None:
    """Once something is due; what is due is not even asked while nobody waits."""
    asked: list[float] = []

    async def history() -> float:
        waker, now = Waker(), asyncio.get_running_loop().time

        async def is_due(within_s: float) -> bool:
            asked.append(now())
            return now() + within_s >= 100

        looking = asyncio.create_task(waker.keep_looking(is_due))
        await asyncio.sleep(50)
        await waker.wait(HORIZON_S)
        await _cancelled(looking)
        return now()

    assert 98 <= _run(history()) <= 101
    assert min(asked) > 50


def test_what_an_overtaken_look_found_sets_no_timer() -> None:
    """It began first, and was told later, of less: the timer stays at what the later look found."""

    async def history() -> float:
        waker = Waker()
        first, second = waker.begin_look(), waker.begin_look()
        waker.arm(second, 1.0)
        waker.arm(first, None)
        await waker.wait(HORIZON_S)
        return asyncio.get_running_loop().time()

    assert _run(history()) == pytest.approx(1.0)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


def _run(history: Coroutine[Any, Any, Any]) -> Any:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(history)
    finally:
        loop.close()
