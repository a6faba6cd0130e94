# ruff: noqa: N802 - aiosmtpd's names of hooks
"""The sender's own loop against a real scheduler on real stores: the contract that both keep."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from aiosmtpd.smtp import SMTP, Envelope
from maillane.scheduler.v1.identity_service_pb2 import StopWorkspaceRequest, StopWorkspaceResponse
from maillane.scheduler.v1.identity_service_pb2_grpc import IdentityServiceStub
from maillane_scheduler.api_token import Role, digest, new_secret
from maillane_scheduler.states import MessageState
from maillane_scheduler.store import identity
from maillane_scheduler.store.audit import Actor
from maillane_sender.dispatch import End, Pace
from maillane_sender.sender import Sender
from maillane_sender.settings import Settings

from .world import SERVICE_KEY, World, world

STEP_S = 20
"""For any one thing to happen on a busy machine."""


class Inbox:
    """Takes mail, and answers once it is open. Where it is choosy, it refuses r3 for good, and r4 for now."""

    def __init__(self) -> None:
        self.choosy = False
        self.recipients: list[str] = []
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.port = 0

    async def handle_RCPT(self, _server: SMTP, _session: object, envelope: Envelope, address: str, _o: object) -> str:
        if self.choosy and address.startswith(("r3.", "r4.")):
            return "550 5.1.1 no such user" if address.startswith("r3.") else "451 4.2.1 later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Envelope) -> str:
        self.recipients += envelope.rcpt_tos
        self.reached.set()
        await self.open.wait()
        return "250 2.0.0 queued"


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    made = Inbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(made, command_call_limit=100_000), "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    made.open.set()
    server.close()


@pytest.fixture
async def serving(database_url: str, redis_url: str, limiter_target: str) -> AsyncIterator[World]:
    """A tenant, and a scheduler that serves."""
    async with world(database_url, redis_url, limiter_target, smtp_allow_plaintext=True) as made:
        stop = asyncio.Event()
        task = asyncio.create_task(made.scheduler.serve(stop))
        async with asyncio.timeout(STEP_S):
            while not getattr(made.scheduler, "server", None) or not made.scheduler.server.port:
                await asyncio.sleep(0)
        yield made
        stop.set()
        await task


@asynccontextmanager
async def sending(
    here: World, inbox: Inbox, sender_id: str = "s1"
) -> AsyncIterator[tuple[Sender, asyncio.Task[End | None]]]:
    """A sender at work; drained at the end."""
    settings = Settings.model_validate(
        {
            "service_key": SERVICE_KEY,
            "sender_port": 0,
            "sender_id": sender_id,
            "scheduler_target": f"127.0.0.1:{here.scheduler.server.port}",
            "smtp_allow_private": True,
            "smtp_ports": str(inbox.port),
            "drain_s": 5,
        }
    )
    sender, stop = Sender(settings, pace=Pace(renew_every_s=0.1)), asyncio.Event()
    task = asyncio.create_task(sender.serve(stop))
    yield sender, task
    stop.set()
    await task


def mailbox(here: World, inbox: Inbox) -> int:
    made = here.mailbox()
    here.sql("UPDATE mailboxes SET port = %s WHERE id = %s", inbox.port, made)
    return made


async def stop_workspace(here: World) -> StopWorkspaceResponse:
    """The rpc, as an admin of the tenant calls it."""
    secret = new_secret()
    async with here.scheduler.engine.begin() as connection:
        await identity.create_token(connection, Actor(here.workspace, None, "test"), "ops", Role.ADMIN, digest(secret))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{here.scheduler.server.port}") as channel:
        metadata = (("authorization", f"Bearer {secret}"),)
        return await IdentityServiceStub(channel).StopWorkspace(StopWorkspaceRequest(), metadata=metadata)


async def until(here: World, **states: int) -> None:
    """Waits until so many messages are in these states."""
    async with asyncio.timeout(STEP_S):
        while any(here.states().get(name, 0) != count for name, count in states.items()):
            await asyncio.sleep(0.02)


async def test_a_campaign_is_sent(serving: World, inbox: Inbox) -> None:
    """Each message arrives once and is SENT; one that is refused for good is FAILED, one for now is tried again."""
    inbox.choosy = True
    campaign = serving.campaign([mailbox(serving, inbox), mailbox(serving, inbox)], 50)
    async with sending(serving, inbox):
        await until(serving, SENT=96, FAILED=4)

    assert len(set(inbox.recipients)) == len(inbox.recipients) == 96
    assert serving.counts(campaign) == {"SENT": 96, "FAILED": 4}
    assert serving.sql("SELECT count(*) FROM suppressions") == [(2,)]


async def test_a_pause_brings_back_what_is_not_begun(serving: World, inbox: Inbox) -> None:
    """What is in content is sent; the rest is PENDING again by the next renewal, its attempts not spent."""
    inbox.open.clear()
    serving.campaign([mailbox(serving, inbox)], 40)
    async with sending(serving, inbox):
        await asyncio.wait_for(inbox.reached.wait(), STEP_S)
        serving.sql("UPDATE campaigns SET state = 3, revision = revision + 1")
        await until(serving, SENDING=5)
        inbox.open.set()
        await until(serving, SENDING=0)

    assert serving.states() == {"SENT": 5, "PENDING": 35}
    assert serving.sql("SELECT max(attempt) FROM messages WHERE state = %s", int(MessageState.PENDING)) == [(0,)]


async def test_a_stop_is_acknowledged_once_only_what_is_in_content_is_left(serving: World, inbox: Inbox) -> None:
    """The stop waits for the sender's renewal; what was in content then ends as it would have, and nothing follows."""
    inbox.open.clear()
    serving.campaign([mailbox(serving, inbox)], 40)
    async with sending(serving, inbox):
        await asyncio.wait_for(inbox.reached.wait(), STEP_S)
        stopped = await stop_workspace(serving)
        inbox.open.set()
        await until(serving, SENDING=0)

    assert stopped.acknowledged
    assert [(one.sender_id, one.messages, one.acknowledged) for one in stopped.holdings] == [("s1", 5, True)]
    assert serving.states() == {"SENT": 5, "PENDING": 35}


async def test_a_drain_leaves_nothing_behind(serving: World, inbox: Inbox) -> None:
    """After a sender stopped, nothing is SENDING: another one sends the rest, each once."""
    serving.campaign([mailbox(serving, inbox)], 60)
    async with sending(serving, inbox):
        await asyncio.wait_for(inbox.reached.wait(), STEP_S)
    left = serving.states().get("SENDING", 0)
    async with sending(serving, inbox, "s2"):
        await until(serving, SENT=60)

    assert left == 0
    assert len(set(inbox.recipients)) == len(inbox.recipients)


async def test_a_second_process_of_one_name(serving: World, inbox: Inbox) -> None:
    """It replaces the first, which ends by itself; what the first had in content is settled as it was."""
    inbox.open.clear()
    serving.campaign([mailbox(serving, inbox)], 5)
    async with sending(serving, inbox) as (first, task):
        await asyncio.wait_for(inbox.reached.wait(), STEP_S)
        async with sending(serving, inbox):
            await asyncio.wait_for(asyncio.shield(first.dispatch.ended), STEP_S)
            inbox.open.set()
            end = await asyncio.wait_for(task, STEP_S)

    assert end is End.REPLACED
    assert serving.states() == {"SENT": 5}
