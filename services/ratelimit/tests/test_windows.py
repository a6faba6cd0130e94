from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maillane_ratelimit.counters.counters import Counters
from maillane_ratelimit.permits import Counter, Scope
from maillane_ratelimit.windows import Window
from redis.asyncio import Redis

S = 1_000_000
WINDOWS = st.builds(
    Window,
    length_us=st.integers(1, 31 * 86_400).map(lambda s: s * S),
    offset_us=st.integers(-86_400, 86_400).map(lambda s: s * S),
    parts=st.sampled_from([0, *range(2, 61)]),
)
TIMES = st.integers(2 * 86_400 * S, 2**53 - 2 * 86_400 * S)


@given(WINDOWS, TIMES)
def test_an_instant_lies_in_its_bucket(window: Window, time_us: int) -> None:
    """Buckets follow each other without a gap."""
    number = window.number(time_us)

    assert window.start_us(number) <= time_us < window.start_us(number + 1)


@given(WINDOWS, TIMES)
def test_a_bucket_begins_with_its_first_instant(window: Window, time_us: int) -> None:
    """The instant before belongs to the one before."""
    number = window.number(time_us)
    start_us = window.start_us(number)

    assert (window.number(start_us), window.number(start_us - 1)) == (number, number - 1)


@given(WINDOWS, TIMES)
def test_a_bucket_is_one_part_long(window: Window, time_us: int) -> None:
    """To the µs, also where the length does not divide."""
    number = window.number(time_us)
    length_us = window.start_us(number + 1) - window.start_us(number)

    assert abs(length_us - Fraction(window.length_us, max(window.parts, 1))) < 1


@given(WINDOWS, TIMES)
def test_what_is_granted_counts_for_one_length(window: Window, time_us: int) -> None:
    """In a rolling window a permit counts for at least one length, in a fixed one until it ends."""
    until_us = window.counts_until_us(window.number(time_us))

    assert (
        until_us >= time_us + window.length_us
        if window.parts
        else until_us == window.start_us(window.number(time_us) + 1)
    )


def test_a_day_ends_at_the_mailboxs_midnight() -> None:
    """With the offset of its time zone, here two hours east."""
    day = Window(86_400 * S, offset_us=7200 * S)
    noon_us = 1_790_000_000 * S // (86_400 * S) * 86_400 * S + 12 * 3600 * S

    assert day.counts_until_us(day.number(noon_us)) == noon_us + 10 * 3600 * S


@pytest.mark.parametrize("parts", [0, 2, 7, 60])
async def test_the_scripts_cut_alike(redis: Redis, parts: int) -> None:
    """Around boundaries, where rounding would show, Lua's doubles say what Python's integers say."""
    now_us = 0
    counters = Counters(redis, now_us=lambda: now_us)
    await counters.restore("1", 1, [])
    wrong = []
    for length_s in (1, 7, 60, 3600, 86_400, 31 * 86_400 - 1):
        for about_us in (1_790_000_000 * S + 1, 9_000_000_000 * S - 3):
            window = Window(length_s * S, offset_us=-3601 * S, parts=parts)
            for now_us in _boundaries(window, about_us):
                (usage,) = await counters.usage("1", [Counter(Scope.MAILBOX, "a", window)])
                if usage.reset_us != window.start_us(window.number(now_us) + 1):
                    wrong.append((window, now_us))

    assert wrong == []


def _boundaries(window: Window, about_us: int) -> list[int]:
    number = window.number(about_us)
    return [window.start_us(number + step) + us for step in range(0, window.parts + 1, 6) for us in (-1, 0)]
