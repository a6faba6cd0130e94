"""A mail server that allows a mailbox fewer connections than the mailbox may have, and a sender that finds out."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from maillane_scheduler.store.caps import RAISE_AFTER_S

from .test_sender import STEP_S, Inbox, mailbox, sending, serving, until
from .world import World

__all__ = ["serving"]

ALLOWED = 2


class Narrow(Inbox):
    """Takes mail over two connections at once; each further one is told so and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed = ALLOWED
        self.sessions = 0
        self.refused = 0

    def session(self) -> SMTP:
        return _Session(self)


class _Session(SMTP):
    def __init__(self, inbox: Narrow) -> None:
        super().__init__(inbox, command_call_limit=100_000)
        self._inbox = inbox
        self._counted = False

    def connection_made(self, transport: Any) -> None:
        if self._inbox.sessions >= self._inbox.allowed:
            self._inbox.refused += 1
            transport.write(b"421 4.7.0 Too many connections\r\n")
            transport.close()
            return
        self._inbox.sessions += 1
        self._counted = True
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._counted:
            self._inbox.sessions -= 1
            super().connection_lost(error)


@pytest.fixture
async def narrow() -> AsyncIterator[Narrow]:
    made = Narrow()
    server = await asyncio.get_running_loop().create_server(made.session, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    made.open.set()
    server.close()


def cap(here: World) -> int | None:
    """What was learned, and the queue was told."""
    [(learned, untold)] = here.sql("SELECT learned_cap, revision - queue_revision FROM mailboxes")
    assert untold == 0
    return None if learned is None else int(learned)


async def test_mails_go_on_over_as_many_connections_as_the_server_allows(serving: World, narrow: Narrow) -> None:
    """The cap falls, nothing fails or rests, no attempt is spent."""
    box = mailbox(serving, narrow)
    serving.sql("UPDATE mailboxes SET max_in_flight = 5")
    campaign = serving.campaign([box], 60)
    async with sending(serving, narrow):
        await until(serving, SENT=60)

    assert narrow.refused > 0
    assert cap(serving) in (1, ALLOWED)
    assert sorted(set(narrow.recipients)) == sorted(narrow.recipients)
    assert serving.counts(campaign) == {"SENT": 60}
    assert serving.sql("SELECT max(attempt) FROM messages") == [(1,)]
    assert serving.sql("SELECT count(*) FROM parks") == [(0,)]


async def test_a_mailbox_that_gets_no_connection_at_all_rests(serving: World, narrow: Narrow) -> None:
    """Fewer than one there cannot be: others have them all, and it waits with growing patience."""
    narrow.allowed = 0
    box = mailbox(serving, narrow)
    serving.sql("UPDATE mailboxes SET max_in_flight = 2")
    serving.campaign([box], 5)
    async with sending(serving, narrow), asyncio.timeout(STEP_S):
        while not serving.sql("SELECT 1 FROM parks"):
            await asyncio.sleep(0.02)

    assert cap(serving) == 1
    assert serving.states() == {"PENDING": 5}
    assert serving.sql("SELECT sum(attempt) FROM messages") == [(0,)]


async def test_a_cap_that_has_stood_is_raised_step_by_step(serving: World, narrow: Narrow) -> None:
    """One more each time, until the mailbox has what it may have."""
    box = mailbox(serving, narrow)
    serving.sql("UPDATE mailboxes SET max_in_flight = 4, learned_cap = 1, learn_time = now()")
    serving.campaign([box], 1)
    await serving.sweep()
    caps = [cap(serving)]
    for _ in range(3):
        serving.sql("UPDATE mailboxes SET learn_time = now() - %s * interval '1 s'", RAISE_AFTER_S + 1)
        await serving.sweep()
        caps.append(cap(serving))

    assert caps == [1, 2, 3, None]
