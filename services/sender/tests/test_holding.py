"""Slots and leases as they are counted."""

from __future__ import annotations

import pytest
from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane_sender.dispatch.holding import Holding
from maillane_sender.smtp import Revoked

from .fake_scheduler import messages


def may_begin(lease_s: float, after_s: float) -> bool:
    [held] = Holding(5).take(1, 100.0, lease_s, messages(1))
    try:
        held.begin(100.0 + after_s)
    except Revoked:
        return False
    return held.begun


@pytest.mark.parametrize(
    ("lease_s", "after_s", "begins"),
    [(60, 0, True), (60, 40, True), (60, 40.1, False), (60, 1000, False), (9, 6, True), (9, 6.1, False), (0, 1, False)],
)
def test_when_content_may_begin(lease_s: float, after_s: float, begins: bool) -> None:
    """While 20 s are left, or a third of a lease that is shorter than a minute."""
    assert may_begin(lease_s, after_s) is begins


def test_a_slot_is_free_before_its_lease_is_over() -> None:
    """An outcome frees the slot; the lease is kept, and renewed, until the outcome was told."""
    holding = Holding(5)
    first, second = holding.take(7, 0.0, 60.0, messages(2))
    holding.finish(first)
    holding.finish(second)
    holding.told([pb.Settle(message_id=1, token=7)])
    before = (holding.free, holding.held, holding.tokens)
    holding.told([pb.Settle(message_id=2, token=7)])

    assert before == (5, 1, [7])
    assert (holding.free, holding.held, holding.tokens) == (5, 0, [])


def test_one_message_under_two_tokens() -> None:
    """A message that went back and came again, before its return was confirmed, is counted under each."""
    holding = Holding(5)
    [old] = holding.take(7, 0.0, 60.0, messages(1))
    holding.finish(old)
    holding.take(8, 0.0, 60.0, messages(1))
    holding.told([pb.Settle(message_id=1, token=7)])

    assert (holding.free, holding.tokens) == (4, [8])


def test_a_renewal_of_what_is_gone() -> None:
    """An answer may name what was settled meanwhile: it changes nothing."""
    holding = Holding(5)
    holding.renew([7], 0.0, 60.0)

    assert holding.tokens == []
