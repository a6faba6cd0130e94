"""Turns of a campaign's mailboxes, in proportion to what each may send an hour."""

from collections.abc import Sequence
from heapq import heapify, heapreplace


def assign(sizes: Sequence[int], weights: Sequence[int], count: int) -> list[int]:
    """Which mailbox each of the next `count` messages goes to, as an index: O(count * log(mailboxes)).

    The next is always the one that would be the least full by its weight (the highest averages of D'Hondt), the first
    of those that tie. It follows from sizes and weights alone, so that it does not matter how the messages come in
    chunks, and at every point the shares are as near to the weights as whole messages allow.

    Args:
        sizes: messages that each has already.
        weights: hourly limits, each at least 1.
        count: how many to assign.
    """
    if len(sizes) == 1:
        return [0] * count
    heap = [((size + 1) / weight, index) for index, (size, weight) in enumerate(zip(sizes, weights, strict=True))]
    heapify(heap)
    next_sizes = [size + 1 for size in sizes]
    turns = []
    for _ in range(count):
        index = heap[0][1]
        turns.append(index)
        next_sizes[index] += 1
        # Equal fractions give equal floats, for division rounds correctly: ties are ties.
        heapreplace(heap, (next_sizes[index] / weights[index], index))
    return turns


def ordinals(sizes: list[int], turns: Sequence[int]) -> list[int]:
    """The place of each message in its lane, from 0; raises `sizes`, which are those before, to those after."""
    places = []
    for index in turns:
        places.append(sizes[index])
        sizes[index] += 1
    return places
