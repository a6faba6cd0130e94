"""How a campaign's recipients are divided among its mailboxes, without a walk over them."""

from collections.abc import Sequence

from maillane_scheduler.rotation import assign


def divide(count: int, weights: Sequence[int]) -> list[int]:
    """What each mailbox gets of `count` recipients: as `rotation.assign` gives them, in O(mailboxes²).

    Highest averages never give less than the whole part of a fair share, so only what is left over is assigned.
    """
    if not weights:
        return []
    total = sum(weights)
    sizes = [count * weight // total for weight in weights]
    for index in assign(sizes, weights, count - sum(sizes)):
        sizes[index] += 1
    return sizes
