"""The turns of a campaign's mailboxes."""

from hypothesis import given
from hypothesis import strategies as st
from maillane_scheduler.rotation import assign

WEIGHTS = st.lists(st.integers(1, 100_000), min_size=1, max_size=8)


def test_equal_mailboxes_take_turns():
    """In the order in which the campaign names them."""
    assert assign([0, 0, 0], [50, 50, 50], 7) == [0, 1, 2, 0, 1, 2, 0]


def test_shares_follow_the_hourly_limits():
    """Two to one, well mixed."""
    assert assign([0, 0], [200, 100], 6) == [0, 0, 1, 0, 0, 1]


@given(WEIGHTS, st.integers(0, 300), st.integers(0, 300))
def test_chunks_do_not_matter(weights, first, second):
    """The turns of two chunks are those of one that has both."""
    sizes = [0] * len(weights)
    head = assign(sizes, weights, first)
    then = assign([head.count(index) for index in range(len(weights))], weights, second)

    assert head + then == assign(sizes, weights, first + second)


@given(WEIGHTS, st.integers(1, 500))
def test_no_mailbox_is_ahead_of_its_share_by_more_than_a_message(weights, count):
    """No mailbox takes a message while that would put it above its share and another below its own."""
    turns = assign([0] * len(weights), weights, count)
    counts = [turns.count(index) for index in range(len(weights))]

    fullest = max(size / weight for size, weight in zip(counts, weights, strict=True))
    assert all((size + 1) / weight >= fullest for size, weight in zip(counts, weights, strict=True))
