"""The forecast against a walk over messages, and what it promises by itself."""

import time
from bisect import bisect_right
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maillane_scheduler.forecast.forecast import forecast
from maillane_scheduler.forecast.report import Binding, binding, by_hour
from maillane_scheduler.forecast.shares import divide
from maillane_scheduler.forecast.world import Allowed, Gate, Lane, Pace, World
from maillane_scheduler.rotation import assign

from .walker import Walker

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
# Where lanes take turns, parts of turns are dealt out: a few more or less by some hour.
TURNS_OFF = 12


def gate(lanes, mailbox=1, hourly=40, used=0, **changes):
    return Gate(mailbox, changes.pop("ready", 0), changes.pop("gap", 0), Allowed(hourly, used), lanes=lanes, **changes)


def lane(count, gap_s, campaign=1, mailbox=1, ready=0):
    return Lane(campaign, mailbox, count, ready, gap_s * SECOND)


def world(*gates, now=0, campaigns=None):
    return World(now, HOUR, DAY, gates, campaigns or {})


@st.composite
def worlds(draw, most_lanes=1, limited=False):
    """Mailboxes with one lane each, or with several; campaigns with limits of their own, or without."""
    now = draw(st.integers(0, 2 * 24 * 3600)) * SECOND
    gates = []
    for mailbox in range(draw(st.integers(1, 3))):
        lanes = [
            lane(
                draw(st.integers(1, 100)),
                draw(st.sampled_from((0, 10, 45, 47, 120, 600, 3600))),
                campaign,
                mailbox,
                now + draw(st.sampled_from((0, 0, 34, 3778, 9116))) * SECOND,
            )
            for campaign in range(draw(st.integers(1, most_lanes)))
        ]
        day = draw(st.sampled_from((None, Allowed(30, 3), Allowed(100, 0))))
        gates.append(
            gate(
                lanes,
                mailbox,
                draw(st.sampled_from((5, 20, 40, 77))),
                draw(st.integers(0, 5)),
                day=day,
                ready=now + draw(st.sampled_from((0, 0, 2751))) * SECOND,
                gap=draw(st.sampled_from((0, 0, 20, 30, 60))) * SECOND,
            )
        )
    limits = {c: Allowed(draw(st.sampled_from((7, 30, 60))), draw(st.integers(0, 7))) for c in range(most_lanes)}
    return world(*gates, now=now, campaigns=limits if limited else None)


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_lanes_that_share_nothing_are_forecast_to_the_microsecond(what):
    """Each message leaves when a walk over messages says so: limits, gaps, parks and days included."""
    walked, traces = Walker(what).walk(), forecast(what)

    assert {place: [trace.time_us(n) for n in range(trace.count)] for place, trace in traces.items()} == walked


@settings(max_examples=80, deadline=None)
@given(worlds(most_lanes=4))
def test_lanes_that_take_turns_are_forecast_within_some_turns(what):
    """By the end of any hour, about as many have left of each lane as a walk over messages says; none is lost."""
    walked, traces = Walker(what).walk(), forecast(what)

    for place, times in walked.items():
        ends = [hour * HOUR + HOUR - 1 for hour in sorted({at // HOUR for at in times})]
        off = [abs(bisect_right(times, end) - traces[place].position(end)) for end in ends]
        assert traces[place].count == len(times)
        assert max(off) <= TURNS_OFF


@settings(max_examples=60, deadline=None)
@given(worlds(most_lanes=3, limited=True))
def test_limits_are_never_passed(what):
    """Neither a mailbox's hour or day, nor a campaign's hour over its mailboxes, has more than its limit allows."""
    traces = forecast(what)

    for each in what.gates:
        assert _most([traces[lane.place] for lane in each.lanes], HOUR, what.now_us, each.hour) <= each.hour.limit
        if each.day is not None:
            assert _most([traces[lane.place] for lane in each.lanes], DAY, what.now_us, each.day) <= each.day.limit
    for campaign, allowed in what.campaigns.items():
        mine = [trace for (its, _), trace in traces.items() if its == campaign]
        assert _most(mine, HOUR, what.now_us, allowed) <= max(allowed.limit, allowed.used)


def _most(traces, length, now, allowed):
    used = {now // length: allowed.used}
    for trace in traces:
        for run in trace.runs():
            for nth in range(run.count):
                window = (run.start_us + nth * run.step_us) // length
                used[window] = used.get(window, 0) + 1
    return max(used.values())


@settings(max_examples=60, deadline=None)
@given(worlds(most_lanes=2), st.integers(0, 99))
def test_a_time_is_at_its_position(what, position):
    """As many have left at the time of a message as stand before it, and itself, and those of the same instant."""
    for trace in forecast(what).values():
        at = trace.time_us(position)
        assert (at is None) == (position >= trace.count)
        assert at is None or trace.position(at - 1) <= position < trace.position(at)


def timed(what):
    """A forecast, and the CPU seconds that it takes at the best of some times."""
    took = []
    for _ in range(3):
        began = time.process_time()
        traces = forecast(what)
        took.append(time.process_time() - began)
    return traces, min(took)


def test_a_million_recipients_take_no_longer_than_a_few():
    """Limits by the hour and day, two mailboxes, half a million each: within 50 ms."""
    lanes = [lane(500_000, 45, mailbox=mailbox) for mailbox in (1, 2)]
    traces, took = timed(world(gate([lanes[0]], day=Allowed(400)), gate([lanes[1]], 2, 60, day=Allowed(300))))

    assert took < 0.05
    assert sum(trace.count for trace in traces.values()) == 1_000_000


def test_many_campaigns_in_one_mailbox_are_bounded_too():
    """Of 300 that share its turns, which never repeat themselves: within 0.3 s, in runs by the dozen, and none lost."""
    lanes = [lane(2000 + campaign, 45 + campaign % 7, campaign) for campaign in range(300)]
    traces, took = timed(world(gate(lanes, hourly=200, gap=5 * SECOND)))

    assert took < 0.3
    assert sum(len(trace.parts) for trace in traces.values()) < 40 * len(lanes)
    assert [traces[lane.place].count for lane in lanes] == [lane.count for lane in lanes]


def test_many_campaigns_in_many_mailboxes_are_bounded_too():
    """A million recipients, 50 campaigns in 50 mailboxes: within 0.4 s, and the right day or so by daily limits."""
    gates = [
        gate([lane(400, 30 + 7 * (c % 5), c, mailbox) for c in range(50)], mailbox, hourly=200, day=Allowed(1000))
        for mailbox in range(50)
    ]
    traces, took = timed(world(*gates))

    assert took < 0.4
    assert sum(trace.count for trace in traces.values()) == 1_000_000
    assert 19 * DAY < max(trace.last_us or 0 for trace in traces.values()) < 21 * DAY


def test_a_mailbox_that_is_done_before_the_walk_is_cut_off_stays_done():
    """Beside one of the same campaign, in which so many take turns that the walk does not come to their end."""
    lanes = [lane(2000 + campaign, 45 + campaign % 7, campaign) for campaign in range(300)]
    done = gate([lane(1, 0, campaign=0, mailbox=2)], mailbox=2)

    traces = forecast(world(gate(lanes, hourly=200, gap=5 * SECOND), done, campaigns={0: Allowed(20, 0)}))

    assert traces[0, 2].count == 1
    assert [traces[each.place].count for each in lanes] == [each.count for each in lanes]


def test_other_campaigns_halve_the_pace():
    """Two campaigns that want all of a mailbox get half of it each."""
    alone = forecast(world(gate([lane(1000, 0)], gap=30 * SECOND, hourly=10_000)))
    shared = forecast(world(gate([lane(1000, 0), lane(1000, 0, 2)], gap=30 * SECOND, hourly=10_000)))

    assert alone[1, 1].last_us == 999 * 30 * SECOND
    assert shared[1, 1].last_us == pytest.approx(1998 * 30 * SECOND, rel=0.01)


def test_a_wait_says_why_and_until_when():
    """A limit that is used up at its 40th message holds the rest until the hour is over."""
    trace = forecast(world(gate([lane(100, 45)])))[1, 1]

    first = trace.waits[0]
    assert (first.reason, first.from_us, first.until_us, first.limit) == (
        Pace.HOURLY_LIMIT,
        40 * 45 * SECOND,
        HOUR,
        40,
    )


@given(st.integers(0, 3000), st.lists(st.integers(1, 1000), min_size=1, max_size=8))
def test_shares_are_those_of_the_rotation(count, weights):
    """What is divided at once is what one assignment after another comes to."""
    turns = assign([0] * len(weights), weights, count)

    assert divide(count, weights) == [turns.count(index) for index in range(len(weights))]


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(1, 100))
def test_hours_add_up(what, hours):
    """What leaves in each hour is what the walk over messages counts in it, up to the horizon."""
    walked, traces = Walker(what).walk(), forecast(what)
    until = what.now_us - what.now_us % HOUR + hours * HOUR

    for place, times in walked.items():
        counted = Counter(at - at % HOUR for at in times if at < until)
        assert +by_hour(traces[place], HOUR, until) == counted


def test_an_hourly_limit_sets_the_pace():
    """Of 100 messages 45 s apart, a limit of 40 an hour is what binds, from the 41st on."""
    bound = binding(forecast(world(gate([lane(100, 45)])))[1, 1])

    assert bound == Binding(Pace.HOURLY_LIMIT, 40 * 45 * SECOND, 40)


def test_a_delay_sets_the_pace_where_no_limit_is_met():
    """Of 30 messages 45 s apart under a limit of 100."""
    bound = binding(forecast(world(gate([lane(30, 45)], hourly=100)))[1, 1])

    assert bound is not None
    assert bound.reason is Pace.DELAY
