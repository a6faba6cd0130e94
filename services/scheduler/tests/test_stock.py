"""Permits at hand: what is kept, for how long, and how much is asked for."""

from dataclasses import replace
from datetime import UTC, datetime

from maillane_scheduler.dispatch.limiter import Granted, Shortage
from maillane_scheduler.dispatch.stock import HOLD_S, MOST_AHEAD, MOST_AT_HAND, MOST_LOTS, Stock, lane_of
from maillane_scheduler.store.lanes import Terms

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def granted(
    count: int, *, campaign: int = 1, name: str = "r1", address: str = "a", good_until: float = 3600
) -> Granted:
    terms = Terms(
        campaign=campaign,
        mailbox=1,
        workspace=1,
        address_key=address,
        hourly_limit=1000,
        daily_limit=None,
        campaign_limit=None,
        mailbox_revision=1,
        campaign_revision=1,
    )
    return Granted(terms, count, name, NOON, good_until, 1, None, None)


def test_two_cycles_do_not_share_a_permit() -> None:
    """What one took is not there for the next, until it is put back."""
    stock = Stock()
    stock.add(granted(7), now=0)

    first, second, third = stock.take(5, now=0), stock.take(5, now=0), stock.take(5, now=0)

    assert [grant.count for grant in (*first, *second, *third)] == [5, 2]


def test_what_is_put_back_can_be_taken_again() -> None:
    """A turn used two of five."""
    stock = Stock()
    stock.add(granted(5), now=0)
    [taken] = stock.take(5, now=0)

    assert stock.put_back(taken, 3)

    assert [grant.count for grant in stock.take(5, now=0)] == [3]


def test_what_is_at_hand_is_known_to_be_the_last() -> None:
    """Whoever takes it is told that no more could be reserved; where nothing is at hand, there is nothing to note."""
    stock = Stock()
    short = replace(granted(2, name="r2"), shortage=Shortage(True, 1, "its limit"))

    assert not stock.end(short, now=0)
    stock.add(granted(5), now=0)
    assert stock.end(short, now=0)

    assert [(grant.count, grant.shortage) for grant in stock.take(9, now=0)] == [(5, short.shortage)]


def test_idle_permits_are_given_up() -> None:
    """After a second what is left can be taken no more, and is to be refunded; what is put back later as well."""
    stock = Stock()
    stock.add(granted(5), now=0)
    [taken] = stock.take(2, now=0)

    assert stock.take(5, now=HOLD_S) == []
    assert [grant.count for grant in stock.drop_idle(HOLD_S)] == [3]
    assert not stock.put_back(taken, 2)


def test_a_permit_is_not_taken_after_its_window() -> None:
    """Its window ends before its second does."""
    stock = Stock()
    stock.add(granted(5, good_until=0.5), now=0)

    assert stock.take(5, now=0.5) == []


def test_reservations_of_a_lane_lie_beside_one_another() -> None:
    """More of the same one is added to it; a turn gets the oldest that is enough, else the most that one has."""
    stock = Stock()
    for count, name in ((3, "r1"), (2, "r1"), (9, "r2"), (4, "r3")):
        assert stock.add(granted(count, name=name), now=0) == []

    taken = [one for most in (4, 7, 7, 7) for one in stock.take(most, now=0)]

    assert [(one.reservation_id, one.count) for one in taken] == [("r1", 4), ("r2", 7), ("r3", 4), ("r2", 2)]
    assert [stock.put_back(one, 1) for one in taken] == [True] * 4
    assert sorted(one.count for one in stock.drop_all()) == [1, 2, 2]


def test_a_lane_holds_so_many_reservations() -> None:
    """What is left of the oldest is to be refunded."""
    stock = Stock()
    returned = [stock.add(granted(2, name=f"r{number}"), now=0) for number in range(MOST_LOTS + 1)]

    assert [(one.reservation_id, one.count) for one in returned[-1]] == [("r0", 2)]
    assert not any(returned[:-1])


def test_rivals_share_a_campaign_or_an_address() -> None:
    """And have permits left."""
    stock = Stock()
    for campaign, address in ((1, "a"), (2, "b"), (3, "c")):
        stock.add(granted(2, campaign=campaign, address=address, name=f"r{campaign}"), now=0)

    assert stock.rivals(granted(0, campaign=1, address="b")) == [(1, 1), (2, 1)]
    stock.take(2, now=0)
    assert stock.rivals(granted(0, campaign=1, address="b")) == []


def test_what_is_asked_for_ahead_follows_the_pace() -> None:
    """Half of what the lane used in about the last second, fading; nothing for a lane that begins; never too much."""
    stock, lane = Stock(), lane_of(granted(1))
    asked = [stock.ahead(lane, 0)]
    for tenth in range(30):
        stock.used(lane, 10, tenth / 10)
    asked += [stock.ahead(lane, 3), stock.ahead(lane, 13)]
    stock.used(lane, 10**6, 13)

    assert asked[0] == asked[2] == 0
    assert 40 <= asked[1] <= 60
    assert stock.ahead(lane, 13) == MOST_AHEAD


def test_one_call_at_a_time_reserves_ahead_for_a_lane() -> None:
    """Cycles that meet over an empty lot would each reserve for what comes next."""
    stock, lane = Stock(), lane_of(granted(1))

    assert [stock.begin_asking(lane), stock.begin_asking(lane)] == [True, False]
    stock.end_asking([lane])
    assert stock.begin_asking(lane)


def test_a_turn_is_told_of_so_many_lanes() -> None:
    """The arguments of a script are bounded."""
    stock = Stock()
    for campaign in range(MOST_AT_HAND + 1):
        stock.add(granted(1, campaign=campaign, name=f"r{campaign}"), now=0)

    assert len(stock.take(1, now=0)) == MOST_AT_HAND
