"""Due times, and what becomes of them when the delay changes."""

from hypothesis import given
from hypothesis import strategies as st
from maillane_scheduler.plan import MAX_DUE_US, due_us, rebased_us

SECOND = 1_000_000


def test_a_message_is_due_at_its_place():
    """One each delay, from the base on."""
    assert due_us(1000 * SECOND, 3, 5 * SECOND) == 1015 * SECOND


def test_a_retry_takes_its_own_later_time():
    """And never an earlier one than the plan's."""
    assert due_us(1000 * SECOND, 3, 5 * SECOND, 2000 * SECOND) == 2000 * SECOND
    assert due_us(1000 * SECOND, 3, 5 * SECOND, 10 * SECOND) == 1015 * SECOND


def test_due_times_stay_within_what_the_queue_holds_exactly():
    """A million messages a day apart end in the year 2255, in their order of ids."""
    assert due_us(1_700_000_000 * SECOND, 10_000_000, 86_400 * SECOND) == MAX_DUE_US


@given(st.integers(0, 2**50), st.integers(0, 10_000), st.integers(0, 86_400), st.integers(0, 86_400))
def test_a_new_delay_leaves_the_next_message_where_it_is(base, k, old, new):
    """What waits goes on from its own place at the new pace, in order."""
    moved = rebased_us(base, k, old * SECOND, new * SECOND)

    assert due_us(moved, k, new * SECOND) == due_us(base, k, old * SECOND)
    assert due_us(moved, k + 1, new * SECOND) == min(due_us(base, k, old * SECOND) + new * SECOND, MAX_DUE_US)
