"""Deadlines of what is asked on a connection, of which one timer takes care."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from maillane_sender.smtp.reply_queue import ReplyQueue

LONG_S, SHORT_S = 60.0, 0.05
SOON_S = 5.0


class Unwritten:
    """A transport that nothing is written to."""

    def abort(self) -> None:
        """Nothing to close."""


def replies() -> ReplyQueue:
    return ReplyQueue(cast("asyncio.Transport", Unwritten()))


async def test_a_deadline_after_a_longer_one() -> None:
    """What is asked within a short time meets its deadline, though the timer was set to a later one before."""
    queue = replies()
    content = queue.expect(LONG_S)
    queue.data_received(b"250 taken\r\n")
    await content.done
    envelope = queue.expect(SHORT_S)

    async with asyncio.timeout(SOON_S):
        with pytest.raises(TimeoutError):
            await envelope.done


async def test_a_deadline_after_a_shorter_one() -> None:
    """What is asked within a long time is not ended by the timer of what was answered before it."""
    queue = replies()
    envelope = queue.expect(SHORT_S)
    queue.data_received(b"250 go on\r\n")
    await envelope.done
    content = queue.expect(LONG_S)

    done, _ = await asyncio.wait([content.done], timeout=4 * SHORT_S)
    assert not done


async def test_the_time_of_what_is_asked_behind_begins_with_the_answer_before() -> None:
    """Behind a content an envelope waits as long as that is not answered, and then no longer than its own time."""
    queue = replies()
    queue.expect(LONG_S)
    behind = queue.expect(SHORT_S, replies=3)
    waited, _ = await asyncio.wait([behind.done], timeout=4 * SHORT_S)
    queue.data_received(b"250 taken\r\n250 sender\r\n")

    assert not waited
    async with asyncio.timeout(SOON_S):
        with pytest.raises(TimeoutError):
            await behind.done
