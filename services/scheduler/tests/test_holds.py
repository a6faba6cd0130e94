"""What holds a message: what binds first."""

import dataclasses

import pytest
from maillane_scheduler.message import Circumstances, HoldReason, hold
from maillane_scheduler.states import CampaignState, MailboxState, MessageState, ParkReason

NOW = 1_790_000_000_000_000
FREE = Circumstances(
    now_us=NOW,
    stopped=False,
    campaign_state=CampaignState.ACTIVE,
    mailbox_state=MailboxState.ACTIVE,
    due_us=NOW - 1,
    retry_us=None,
    parks=(),
)


def held(**changes):
    return hold(MessageState.PENDING, dataclasses.replace(FREE, **changes))


def test_a_message_that_is_due_waits_for_its_turn():
    """Nothing else holds it."""
    assert held().reason is HoldReason.TURN


def test_what_a_person_lifts_binds_before_what_time_lifts():
    """A pause is told before a limit."""
    parks = [(ParkReason.LIMIT, NOW + 1, "")]

    assert held(campaign_state=CampaignState.PAUSED, parks=parks).reason is HoldReason.CAMPAIGN_PAUSED


def test_of_what_time_lifts_the_longest_binds():
    """Until when it lasts is the answer."""
    found = held(due_us=NOW + 10, parks=[(ParkReason.LIMIT, NOW + 30, "hour"), (ParkReason.BACKOFF, NOW + 20, "")])

    assert (found.reason, found.until_us, found.detail) == (HoldReason.LIMIT, NOW + 30, "hour")


@pytest.mark.parametrize("reason", ParkReason)
def test_a_park_says_what_it_is_for(reason):
    """Also where nothing more is known of it."""
    found = held(parks=[(reason, NOW + 30, "")])

    assert found.reason is HoldReason[reason.name]
    assert found.detail


def test_a_retry_is_told_from_a_plan():
    """Where it is the retry's time that is ahead."""
    assert held(due_us=NOW + 10, retry_us=NOW + 10).reason is HoldReason.RETRY
    assert held(due_us=NOW + 10, retry_us=NOW + 5).reason is HoldReason.NOT_DUE


def test_parks_that_are_over_hold_nothing():
    """They end by themselves."""
    assert held(parks=[(ParkReason.BACKOFF, NOW, "")]).reason is HoldReason.TURN


@pytest.mark.parametrize("state", [state for state in MessageState if state is not MessageState.PENDING])
def test_what_does_not_wait_is_held_by_nothing(state):
    """Nor is what will never be sent."""
    assert hold(state, FREE) is None
    assert held(campaign_state=CampaignState.CANCELLED) is None
