"""Suppressions over gRPC."""

import grpc
from maillane.scheduler.v1 import suppression_service_pb2 as pb

from .scheduler_api import refused


async def listed(client, page_size=50):
    emails, token = [], ""
    while True:
        page = await client.ListSuppressions(pb.ListSuppressionsRequest(page_size=page_size, page_token=token))
        emails += [suppression.email for suppression in page.suppressions]
        token = page.next_page_token
        if not token:
            return emails


async def test_added_addresses_are_listed_by_the_alphabet(tenant):
    """Each once, whatever its case; adding them again adds none."""
    request = pb.AddSuppressionsRequest(emails=["C@example.com", "a@example.com", "c@EXAMPLE.com", "b@example.com"])
    first = await tenant.editor.AddSuppressions(request)
    again = await tenant.editor.AddSuppressions(request)

    assert (first.added, again.added) == (3, 0)
    assert await listed(tenant.viewer, page_size=1) == ["a@example.com", "b@example.com", "c@example.com"]


async def test_a_removed_address_is_gone_and_removing_it_again_changes_nothing(tenant):
    """Whatever its case."""
    await tenant.editor.AddSuppressions(pb.AddSuppressionsRequest(emails=["a@example.com", "b@example.com"]))
    for _ in range(2):
        await tenant.editor.RemoveSuppression(pb.RemoveSuppressionRequest(email="A@example.com"))

    assert await listed(tenant.viewer) == ["b@example.com"]


async def test_every_bad_address_is_named_and_none_is_added(tenant):
    """All or nothing."""
    request = pb.AddSuppressionsRequest(emails=["a@example.com", "x", "b@example.com", "c d@example.com"])
    refusal = await refused(tenant.editor.AddSuppressions(request))

    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert set(refusal.fields) == {"emails[1]", "emails[3]"}
    assert await listed(tenant.viewer) == []


async def test_a_call_adds_one_to_a_thousand(tenant):
    """Not none, not more."""
    none = await refused(tenant.editor.AddSuppressions(pb.AddSuppressionsRequest()))
    many = await refused(tenant.editor.AddSuppressions(pb.AddSuppressionsRequest(emails=["a@example.com"] * 1001)))

    assert set(none.fields) == set(many.fields) == {"emails"}
