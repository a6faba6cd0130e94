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


async def imported(client, *chunks):
    return await client.ImportSuppressions(iter([pb.ImportSuppressionsRequest(rows=rows) for rows in chunks]))


async def test_an_import_adds_addresses_and_names_the_rows_that_are_none(tenant):
    """Over chunks, by their lines or their place in the stream; what is there already counts as a duplicate."""
    first = [
        pb.SuppressionRow(email="a@example.com"),
        pb.SuppressionRow(email="x"),
        pb.SuppressionRow(email="A@example.com"),
    ]
    second = [
        pb.SuppressionRow(email="b@example.com"),
        pb.SuppressionRow(email="a@example.com"),
        pb.SuppressionRow(line=77),
    ]
    answer = await imported(tenant.editor, first, second)

    assert (answer.added, answer.duplicates, answer.rejected_count) == (2, 2, 2)
    assert [(row.line, row.value) for row in answer.rejected] == [(2, "x"), (77, "")]
    assert await listed(tenant.viewer) == ["a@example.com", "b@example.com"]


async def test_sending_an_import_again_changes_nothing(tenant):
    """And nothing is no chunk at all."""
    rows = [pb.SuppressionRow(email=f"r{n}@example.com") for n in range(50)]
    await imported(tenant.editor, rows)
    again = await imported(tenant.editor, rows)

    assert (again.added, again.duplicates) == (0, 50)
    assert (await imported(tenant.editor)).added == 0


async def test_a_list_is_searched_by_a_part_of_the_address_and_by_reason(tenant):
    """In whatever case; what is a wildcard elsewhere is none here."""
    await tenant.editor.AddSuppressions(
        pb.AddSuppressionsRequest(emails=["a_b@example.com", "axb@example.com", "c@other.com"])
    )

    async def found(**filters):
        page = await tenant.viewer.ListSuppressions(pb.ListSuppressionsRequest(**filters))
        return [one.email for one in page.suppressions]

    assert await found(query="A_B@") == ["a_b@example.com"]
    assert await found(query="%") == []
    assert await found(reason=pb.SUPPRESSION_REASON_UNSUBSCRIBED) == []
    assert len(await found(reason=pb.SUPPRESSION_REASON_MANUAL)) == 3


async def test_a_page_token_is_good_with_its_own_query_only(tenant):
    """Another list begins elsewhere."""
    await tenant.editor.AddSuppressions(pb.AddSuppressionsRequest(emails=["a@example.com", "b@example.com"]))
    page = await tenant.viewer.ListSuppressions(pb.ListSuppressionsRequest(page_size=1, query="example"))
    other = pb.ListSuppressionsRequest(page_size=1, page_token=page.next_page_token)

    assert (await refused(tenant.viewer.ListSuppressions(other))).fields.keys() == {"page_token"}


async def test_who_added_an_address_is_named(tenant):
    """By the name of the token."""
    await tenant.editor.AddSuppressions(pb.AddSuppressionsRequest(emails=["a@example.com"]))
    [one] = (await tenant.viewer.ListSuppressions(pb.ListSuppressionsRequest())).suppressions

    assert one.added_by == "editor"
