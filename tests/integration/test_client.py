"""The typed client against a real scheduler."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import grpc
import pytest
from maillane.client import Client, MaillaneError, connect
from maillane.scheduler.v1.campaign_service_pb2 import (
    CAMPAIGN_STATE_CANCELLED,
    Campaign,
    CancelCampaignRequest,
    CreateCampaignRequest,
    GetCampaignRequest,
    StartCampaignRequest,
    Template,
    WatchCampaignRequest,
)
from maillane.scheduler.v1.identity_service_pb2 import GetIdentityRequest
from maillane.scheduler.v1.mailbox_service_pb2 import SECURITY_TLS, CreateMailboxRequest, Mailbox, Smtp
from maillane.scheduler.v1.message_service_pb2 import ListMessagesRequest
from maillane.scheduler.v1.suppression_service_pb2 import AddSuppressionsRequest
from maillane_local.ports import free_port
from maillane_scheduler.api_token import Role, digest, new_secret
from maillane_scheduler.store import identity
from maillane_scheduler.store.audit import Actor

from .world import World, world


@pytest.fixture
async def scheduler(database_url: str, redis_url: str, limiter_target: str) -> AsyncIterator[World]:
    """A scheduler that serves, with a tenant."""
    async with world(database_url, redis_url, limiter_target, scheduler_port=free_port()) as made:
        stop = asyncio.Event()
        serving = asyncio.create_task(made.scheduler.serve(stop))
        async with grpc.aio.insecure_channel(_target(made)) as channel:
            await channel.channel_ready()
        yield made
        stop.set()
        await serving


@pytest.fixture
async def client(scheduler: World) -> AsyncIterator[Client]:
    """A client with an editor's token."""
    secret = new_secret()
    async with scheduler.scheduler.engine.begin() as connection:
        actor = Actor(scheduler.workspace, None, "test")
        await identity.create_token(connection, actor, "client", Role.EDITOR, digest(secret))
    async with connect(_target(scheduler), secret) as connected:
        yield connected


def _target(served: World) -> str:
    return f"127.0.0.1:{served.scheduler.settings.scheduler_port}"


async def draft(client: Client) -> str:
    smtp = Smtp(host="smtp.example.com", port=465, security=SECURITY_TLS)
    request = CreateMailboxRequest(mailbox=Mailbox(address="from@example.com", smtp=smtp))
    mailbox = (await client.mailboxes.CreateMailbox(request)).mailbox
    template = Template(subject="Hello {{name}}", text="Dear {{name}}")
    campaign = Campaign(name="Spring", mailbox_ids=[mailbox.id], template=template)
    return (await client.campaigns.CreateCampaign(CreateCampaignRequest(campaign=campaign))).campaign.id


def people(count: int) -> Iterator[dict[str, object]]:
    return ({"email": f"r{n}@example.com", "name": f"R {n}", "age": n, "town": None} for n in range(count))


async def test_each_service_has_its_stub(client):
    """One client reaches every public service."""
    await client.suppressions.AddSuppressions(AddSuppressionsRequest(emails=["no@example.com"]))
    listed = await client.messages.ListMessages(ListMessagesRequest())
    caller = await client.identity.GetIdentity(GetIdentityRequest())

    assert (list(listed.messages), caller.token.name) == ([], "client")


async def test_rows_are_imported_in_chunks(client):
    """More rows than one chunk holds arrive once each, with their variables as text."""
    campaign_id = await draft(client)

    imported = await client.import_recipients(campaign_id, people(12_000))

    assert (imported.accepted, imported.duplicates, imported.rejected_count) == (12_000, 0, 0)


async def test_large_rows_make_small_chunks(client):
    """Rows of many kilobytes are cut into chunks by their size, so that none passes what a message may have."""
    campaign_id = await draft(client)
    rows = ({"email": f"r{n}@example.com", "name": "n" * 4000} for n in range(1500))

    imported = await client.import_recipients(campaign_id, rows)

    assert imported.accepted == 1500


async def test_rows_may_come_from_an_asynchronous_source(client):
    """An async iterable is as good as any other."""
    campaign_id = await draft(client)

    async def rows():
        for row in people(3):
            yield row

    imported = await client.import_recipients(campaign_id, rows())

    assert imported.accepted == 3


async def test_bad_rows_come_back_by_their_place(client):
    """A row without a good address is left out and named."""
    campaign_id = await draft(client)

    imported = await client.import_recipients(campaign_id, [*people(1), {"name": "nobody"}, {"email": "not one"}])

    assert (imported.accepted, [row.line for row in imported.rejected]) == (1, [2, 3])


async def test_an_error_of_the_rows_is_the_callers_own(client):
    """What the source of the rows raises is not hidden behind a cancelled call."""
    campaign_id = await draft(client)

    def rows():
        yield from people(2)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await client.import_recipients(campaign_id, rows())


async def test_an_import_that_is_refused_says_why(client):
    """An import into nothing ends with the service's answer, whatever of it was sent by then."""
    with pytest.raises(MaillaneError) as caught:
        await client.import_recipients("999999", people(50_000))

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_refusal_names_its_reason(client):
    """A campaign without recipients is not started, and the reason is for programs."""
    campaign_id = await draft(client)

    with pytest.raises(MaillaneError) as caught:
        await client.campaigns.StartCampaign(StartCampaignRequest(campaign_id=campaign_id))

    assert (caught.value.code(), caught.value.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CAMPAIGN_EMPTY")


async def test_a_refusal_names_every_bad_field(client):
    """All bad fields come at once, by their paths."""
    bad = Mailbox(address="no address", smtp=Smtp(host="", port=1, security=SECURITY_TLS))

    with pytest.raises(MaillaneError) as caught:
        await client.mailboxes.CreateMailbox(CreateMailboxRequest(mailbox=bad))

    assert {each.field for each in caught.value.violations} >= {"mailbox.address", "mailbox.smtp.host"}


async def test_a_refusal_reads_well(client):
    """Printed, an error has all that one needs to mend the call."""
    with pytest.raises(MaillaneError) as caught:
        await client.campaigns.GetCampaign(GetCampaignRequest(campaign_id="999999"))

    assert str(caught.value).startswith("NOT_FOUND ")


async def test_a_wrong_token_opens_nothing(scheduler):
    """A token that nobody made is refused with its reason."""
    async with connect(_target(scheduler), "mln_wrong") as stranger:
        with pytest.raises(MaillaneError) as caught:
            await stranger.identity.GetIdentity(GetIdentityRequest())

    assert caught.value.reason == "CREDENTIAL_INVALID"


async def test_a_watch_is_followed_to_its_end(client):
    """A stream of a campaign that was cancelled tells so, and ends."""
    campaign_id = await draft(client)
    await client.campaigns.CancelCampaign(CancelCampaignRequest(campaign_id=campaign_id))

    states = [
        seen.campaign.state
        async for seen in client.campaigns.WatchCampaign(WatchCampaignRequest(campaign_id=campaign_id))
    ]

    assert states == [CAMPAIGN_STATE_CANCELLED]


async def test_a_stream_that_is_refused_says_why(client):
    """Streams raise as other calls do."""
    with pytest.raises(MaillaneError) as caught:
        async for _ in client.campaigns.WatchCampaign(WatchCampaignRequest(campaign_id="999999")):
            pass

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_service_that_is_away_is_unavailable():
    """Nobody answers: the error is of the same kind, without a reason of a service's."""
    async with connect(f"127.0.0.1:{free_port()}", "mln_any") as lonely:
        with pytest.raises(MaillaneError) as caught:
            await lonely.identity.GetIdentity(GetIdentityRequest())

    assert (caught.value.code(), caught.value.reason) == (grpc.StatusCode.UNAVAILABLE, "")
