"""Connections in a pool: reused, bounded, replaced unseen, closed cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import pytest
from maillane_sender.smtp import (
    ConnectFailed,
    Connector,
    Envelope,
    Pool,
    PoolClosed,
    Revoked,
    Stage,
    Timeouts,
    Transport,
    Verdict,
)
from maillane_sender.smtp.berths import Berths

from .scripted import PATIENT, QUICK, Do, Scripted, scripted, settings, transport

ENVELOPE = Envelope("news@acme.example", "zoe@example.net")
CONTENT = b"Subject: Hi\r\n\r\nHello\r\n"


@contextlib.asynccontextmanager
async def pooled(timeouts: Timeouts = PATIENT, **options: float) -> AsyncIterator[Pool]:
    pool = Pool(Connector(settings(timeouts), ssl.create_default_context()), **options)  # type: ignore[arg-type]
    try:
        yield pool
    finally:
        await pool.close()


async def send(pool: Pool, on: Transport, content: bytes = CONTENT) -> Verdict:
    return await pool.send(on, ENVELOPE, content, lambda: None)


@contextlib.asynccontextmanager
async def berth(berths: Berths, at: Transport) -> AsyncIterator[None]:
    taken = await berths.take(at, ENVELOPE)
    try:
        yield
    finally:
        berths.leave(taken)


async def closed(server: Scripted) -> None:
    """Waits until the server has seen all of its connections end."""
    async with asyncio.timeout(5):
        await asyncio.wait(server.tasks)


async def test_a_connection_is_reused() -> None:
    """Messages of one mailbox go over one connection."""
    async with scripted() as server, pooled() as pool:
        for _ in range(3):
            await send(pool, transport(server.port))

        assert (server.connections, len(server.messages)) == (1, 3)


async def test_mailboxes_share_no_connection() -> None:
    """Two mailboxes at one server have a connection each, for each has its own log-in."""
    async with scripted() as server, pooled() as pool:
        for mailbox in ("1", "2", "1"):
            await send(pool, transport(server.port, mailbox_id=mailbox))

        assert server.connections == 2


async def test_another_way_to_the_server_gets_a_new_connection() -> None:
    """Once a mailbox was changed, what was connected by the old settings says goodbye."""
    async with scripted() as server, pooled() as pool:
        await send(pool, transport(server.port, revision=1))
        await send(pool, transport(server.port, host="localhost", revision=2))

        assert server.connections == 2
        assert server.verbs.count("QUIT") == 1


async def test_a_new_revision_of_the_same_way_keeps_its_connections() -> None:
    """Another limit, or another name in From, is no reason to log in again."""
    async with scripted() as server, pooled() as pool:
        await send(pool, transport(server.port, revision=1))
        await send(pool, transport(server.port, revision=2, max_connections=2))

        assert server.connections == 1


async def test_an_older_revision_is_served_apart() -> None:
    """A message that still has the old settings goes by them, and the connection by the new ones is kept."""
    async with scripted() as server, pooled() as pool:
        counts = []
        for host, revision in (("localhost", 2), ("127.0.0.1", 1), ("localhost", 2)):
            await send(pool, transport(server.port, host=host, revision=revision))
            counts.append(server.connections)

        assert counts == [1, 2, 2]


async def test_a_berth_granted_to_who_gave_up() -> None:
    """A berth that comes free in the moment in which its next holder is cancelled goes to the one after."""
    berths, at = Berths(1), transport(25)
    berths.limit(at.mailbox_id, 1)

    async def hold() -> str:
        async with berth(berths, at):
            return "held"

    async with berth(berths, at):
        first, second = asyncio.create_task(hold()), asyncio.create_task(hold())
        await asyncio.sleep(0)
    first.cancel()

    assert await asyncio.wait_for(second, 5) == "held"
    assert berths.forget(at.mailbox_id)


@pytest.mark.parametrize(
    ("here", "asking", "order"),
    [
        # Who has a berth already rides there.
        (["a", "a"], ["a", "b"], ["b", "a"]),
        # With as few berths, mailboxes take turns.
        (["c"], ["a", "a", "a", "b", "b"], ["a", "b", "a", "b", "a"]),
    ],
)
async def test_whose_a_free_berth_is(here: list[str], asking: list[str], order: list[str]) -> None:
    """A berth that comes free goes to the mailbox that has the fewest, whoever asked first."""
    berths, served = Berths(len(here)), list[str]()
    for mailbox in {*here, *asking}:
        berths.limit(mailbox, 5)

    async def hold(mailbox: str, until: asyncio.Event) -> None:
        async with berth(berths, transport(25, mailbox_id=mailbox)):
            served.append(mailbox)
            await until.wait()

    held, free = asyncio.Event(), asyncio.Event()
    free.set()
    first = asyncio.create_task(hold(here[0], held))
    staying = [asyncio.create_task(hold(mailbox, asyncio.Event())) for mailbox in here[1:]]
    waiting = [asyncio.create_task(hold(mailbox, free)) for mailbox in asking]
    await asyncio.sleep(0)
    held.set()
    async with asyncio.timeout(5):
        await asyncio.gather(first, *waiting)
    for task in staying:
        task.cancel()
    await asyncio.gather(*staying, return_exceptions=True)

    assert served[len(here) :] == order


async def test_a_berth_after_a_raised_limit() -> None:
    """A mailbox's raised limit wakes those who wait."""
    berths, at = Berths(1), transport(25)
    berths.limit(at.mailbox_id, 0)

    async def hold() -> str:
        async with berth(berths, at):
            return "held"

    waiting = asyncio.create_task(hold())
    await asyncio.sleep(0)
    berths.limit(at.mailbox_id, 1)

    assert await asyncio.wait_for(waiting, 5) == "held"


async def test_idle_connections_close() -> None:
    """A connection that nobody needs for a while says goodbye."""
    async with scripted() as server, pooled(idle_s=0.05) as pool:
        await send(pool, transport(server.port))
        await closed(server)

        assert server.verbs[-1] == "QUIT"
        async with asyncio.timeout(5):
            while pool._mailboxes:
                await asyncio.sleep(0.001)


async def test_the_cap_of_a_mailbox() -> None:
    """A mailbox never has more connections than its cap; the other messages wait, and all are sent."""
    async with scripted() as server, pooled(concurrency=10) as pool:
        verdicts = await asyncio.gather(*(send(pool, transport(server.port, max_connections=2)) for _ in range(20)))

    assert all(verdict.accepted for verdict in verdicts)
    assert server.most_open == 2


@pytest.mark.parametrize("why", ["spent", "another way"])
async def test_the_cap_holds_while_a_connection_says_goodbye(why: str) -> None:
    """A mailbox of one connection opens the next only once its server has let go of the one before."""
    extensions = ["PIPELINING", "LIMITS MAILMAX=1"] if why == "spent" else ["PIPELINING"]
    async with scripted({"QUIT": [Do.WAIT]}, extensions=extensions) as server, pooled() as pool:
        await send(pool, transport(server.port, max_connections=1))
        host = "127.0.0.1" if why == "spent" else "localhost"
        second = asyncio.create_task(send(pool, transport(server.port, host=host, revision=2, max_connections=1)))
        await server.event("QUIT").wait()
        await asyncio.sleep(0.02)
        server.released.set()

        assert (await second).accepted
    assert (server.connections, server.most_open) == (2, 1)


async def test_a_goodbye_that_is_not_answered_holds_nobody_up_for_long() -> None:
    """A server that says nothing to QUIT is left for the next connection after a moment."""
    async with scripted({"QUIT": [Do.HANG]}, extensions=["LIMITS MAILMAX=1"]) as server, pooled(QUICK) as pool:
        await send(pool, transport(server.port, max_connections=1))

        assert (await send(pool, transport(server.port, max_connections=1))).accepted


async def test_a_lowered_cap_closes_what_is_idle_beyond_it() -> None:
    """Of three connections that are idle, one is left once the mailbox may have one."""
    async with scripted({"CONTENT": [Do.WAIT] * 3}) as server, pooled() as pool:
        sending = [asyncio.create_task(send(pool, transport(server.port))) for _ in range(3)]
        await _open(server, 3)
        server.released.set()
        await asyncio.gather(*sending)
        await send(pool, transport(server.port, revision=2, max_connections=1))
        await _open(server, 1)

        assert (pool.connections, server.connections) == (1, 3)


async def test_what_is_idle_by_the_newer_way_counts_for_the_older() -> None:
    """A message that has the settings of before gets its own connection only once the idle one is closed."""
    async with scripted() as server, pooled() as pool:
        await send(pool, transport(server.port, revision=2, max_connections=1))
        await send(pool, transport(server.port, revision=1, max_connections=1, host="localhost"))

    assert (server.connections, server.most_open) == (2, 1)


async def test_the_limit_of_the_process() -> None:
    """Over all mailboxes, no more transactions run at a time than the limit."""
    running = most = 0

    def begin() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)

    async def one(pool: Pool, port: int, mailbox: int) -> None:
        nonlocal running
        await pool.send(transport(port, mailbox_id=str(mailbox)), ENVELOPE, CONTENT, begin)
        running -= 1

    async with scripted() as server, pooled(concurrency=3) as pool:
        await asyncio.gather(*(one(pool, server.port, n) for n in range(20)))

    assert most == 3


async def test_a_server_that_hung_up_while_idle() -> None:
    """A connection that the server closed meanwhile is replaced, and the message is sent."""
    async with scripted({"CONTENT": [(Do.BEHAVE, Do.DROP)]}) as server, pooled() as pool:
        await send(pool, transport(server.port))
        await closed(server)
        verdict = await send(pool, transport(server.port))

        assert verdict.accepted
        assert server.connections == 2


@pytest.mark.parametrize("act", [Do.DROP, "421 4.4.2 idle for too long"])
async def test_a_server_that_hangs_up_just_then(act: Do | str) -> None:
    """A reused connection that ends with the next envelope is replaced unseen."""
    async with scripted({"MAIL": [Do.BEHAVE, act]}) as server, pooled() as pool:
        await send(pool, transport(server.port))
        verdict = await send(pool, transport(server.port))

        assert verdict.accepted
        assert len(server.messages) == 2


async def test_a_fresh_connection_is_not_replaced() -> None:
    """A server that always hangs up is not asked for ever."""
    async with scripted({"MAIL": [Do.DROP] * 10}, extensions=()) as server, pooled() as pool:
        verdict = await send(pool, transport(server.port))

    assert verdict.stage is Stage.ENVELOPE
    assert server.connections == 1


async def test_pipelining_is_given_up_and_remembered() -> None:
    """A server that offers pipelining without bearing it gets this and later messages one command at a time."""
    async with scripted(intolerant=True) as server, pooled() as pool:
        first = await send(pool, transport(server.port, mailbox_id="1"))
        second = await send(pool, transport(server.port, mailbox_id="2"))

    assert (first.accepted, second.accepted) == (True, True)
    assert server.connections == 3


async def test_content_is_never_repeated() -> None:
    """Lost in content, a message is not tried again on another connection."""
    async with scripted({"CONTENT": [Do.BEHAVE, Do.DROP]}) as server, pooled() as pool:
        await send(pool, transport(server.port))
        verdict = await send(pool, transport(server.port))

    assert verdict.stage is Stage.CONTENT
    assert len(server.messages) == 2


@pytest.mark.parametrize(
    "odd",
    [
        b"hello\r\n",
        Do.HANG,
        Do.DROP,
        ("250 queued as 1", "250 surprise"),
        b"250 " + b"x" * 5000,
        b"150 wait\r\n",
        b"250-\r\n",
    ],
)
async def test_poison(odd: Do | bytes | tuple[str, str]) -> None:
    """After an odd reply, no later message takes another's answer."""
    async with scripted({"CONTENT": [odd]}) as server, pooled(QUICK) as pool:
        verdicts = [await send(pool, transport(server.port)) for _ in range(4)]

    assert [verdict.text for verdict in verdicts[1:]] == [f"queued as {n}" for n in (2, 3, 4)]


async def test_a_late_answer_is_nobodys() -> None:
    """The answer to a message that was given up is not the next one's."""
    async with scripted({"CONTENT": [Do.HANG]}) as server, pooled(QUICK) as pool:
        first = await send(pool, transport(server.port))
        server.released.set()
        second = await send(pool, transport(server.port))

    assert first.stage is Stage.CONTENT
    assert second.text == "queued as 2"


async def test_cancelled_in_content() -> None:
    """A cancelled message's connection serves nobody else."""
    async with scripted({"CONTENT": [Do.HANG]}) as server, pooled() as pool:
        sending = asyncio.create_task(send(pool, transport(server.port)))
        await server.event("CONTENT").wait()
        sending.cancel()
        await asyncio.wait([sending])
        verdict = await send(pool, transport(server.port))

        assert verdict.text == "queued as 2"
        assert server.connections == 2


async def test_cancelled_while_waiting() -> None:
    """Who gives up waiting takes no slot along."""
    async with scripted({"CONTENT": [Do.HANG]}) as server, pooled(concurrency=1) as pool:
        holding = asyncio.create_task(send(pool, transport(server.port)))
        await server.event("CONTENT").wait()
        waiting = [asyncio.create_task(send(pool, transport(server.port))) for _ in range(3)]
        await asyncio.sleep(0)
        for task in (waiting[0], waiting[2], holding):
            task.cancel()

        assert (await waiting[1]).accepted
        assert (await send(pool, transport(server.port))).accepted


async def test_revoked() -> None:
    """A message revoked right before its content is not sent, nor tried again."""
    calls = 0

    def revoke() -> None:
        nonlocal calls
        calls += 1
        raise Revoked

    async with scripted() as server, pooled() as pool:
        await send(pool, transport(server.port))
        verdict = await pool.send(transport(server.port), ENVELOPE, CONTENT, revoke)

    assert verdict.stage is Stage.ENVELOPE
    assert (calls, len(server.messages)) == (1, 1)


async def test_content_that_cannot_be_made() -> None:
    """Content is made when its turn has come; where that fails, nothing was said to the server."""

    def render() -> bytes:
        raise LookupError

    async with scripted() as server, pooled() as pool:
        with pytest.raises(LookupError):
            await pool.send(transport(server.port), ENVELOPE, render, lambda: None)

        assert server.connections == 0


async def test_no_connection() -> None:
    """A failed connection is raised, and its slot is free again."""
    async with scripted({"EHLO": [Do.DROP] * 2}) as server, pooled(concurrency=1) as pool:
        for _ in range(2):
            with pytest.raises(ConnectFailed):
                await send(pool, transport(server.port))

        assert (await send(pool, transport(server.port))).accepted


async def test_mail_max() -> None:
    """A server's limit of messages a connection (RFC 9422) is kept."""
    async with scripted(extensions=["LIMITS MAILMAX=2"]) as server, pooled() as pool:
        for _ in range(5):
            await send(pool, transport(server.port))

    assert server.connections == 3


async def test_close() -> None:
    """Closing says goodbye on idle connections, ends busy ones, and takes no more."""
    async with scripted({"CONTENT": [Do.BEHAVE, Do.HANG]}) as server, pooled(concurrency=1) as pool:
        await send(pool, transport(server.port, mailbox_id="idle"))
        busy = asyncio.create_task(send(pool, transport(server.port)))
        await server.event("CONTENT").wait()
        while len(server.messages) < 2:
            await asyncio.sleep(0.001)
        waiting = asyncio.create_task(send(pool, transport(server.port)))
        await asyncio.sleep(0)
        await pool.close()

        assert (await busy).stage is Stage.CONTENT
        with pytest.raises(PoolClosed):
            await waiting
        assert server.verbs.count("QUIT") == 1
        assert not pool._idle


async def _open(server: Scripted, connections: int) -> None:
    """Waits until the server has so many connections, each with its content where it has not been released."""
    async with asyncio.timeout(5):
        while server.open != connections or (not server.released.is_set() and len(server.messages) < connections):
            await asyncio.sleep(0.001)
