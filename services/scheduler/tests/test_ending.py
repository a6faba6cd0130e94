"""What goes on beside a scheduler's calls ends with it."""

import asyncio

from maillane_scheduler.scheduler import end


async def test_a_cancellation_that_is_lost_is_repeated() -> None:
    """As `asyncio.wait_for` loses one before Python 3.12; and one that failed before keeps nothing from ending."""
    lost: list[str] = []

    async def deaf() -> None:
        while not lost:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost.append("once")
        await asyncio.Event().wait()

    async def broken() -> None:
        raise ValueError

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(broken())]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(tasks)

    assert lost == ["once"]
    assert tasks[0].cancelled()
