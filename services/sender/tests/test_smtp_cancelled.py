"""Cancelled at any point: no answer is ever taken for another message's."""

from __future__ import annotations

import pytest
from support.cancelled import cancel_at_random

MESSAGES = 1000


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_answer_is_taken_for_another_message(seed: int) -> None:
    """Each verdict names its own message, and a message that never began its content was never taken."""
    found = await cancel_at_random(seed, MESSAGES)

    assert not found.mistaken
    assert found.accepted <= set(found.taken) <= found.begun
    assert max(found.taken.values()) == 1
    # Neither all of them, nor none: the points fall all over a message's way.
    assert MESSAGES // 10 < len(found.verdicts) < MESSAGES * 9 // 10
