"""The next message's envelope behind the content of the one before: one round trip a message, and no mix-up."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence

import pytest
from maillane_sender.smtp import Connector, Envelope, Pool, PoolClosed, Revoked, Security, Stage, Timeouts, Verdict

from .scripted import PATIENT, Act, Do, Script, Scripted, scripted, settings, transport

FIRST, SECOND = (Envelope("news@acme.example", f"{name}@example.net") for name in ("ann", "bob"))
CONTENT = b"Subject: Hi\r\n\r\nHello\r\n"


@contextlib.asynccontextmanager
async def one_connection(
    script: Script, *, extensions: Sequence[str] = ("PIPELINING",), timeouts: Timeouts = PATIENT
) -> AsyncIterator[tuple[Scripted, Pool]]:
    """A server and a pool that goes to it over one connection at a time."""
    async with scripted(script, extensions=extensions) as server:
        pool = Pool(Connector(settings(timeouts), ssl.create_default_context()), concurrency=1)
        try:
            yield server, pool
        finally:
            await pool.close()


async def both(server: Scripted, pool: Pool) -> tuple[asyncio.Task[Verdict], asyncio.Task[Verdict]]:
    """The first message in its content, which the server has wholly, and the second at the pool."""
    first = asyncio.create_task(send(server, pool, FIRST))
    await server.event("CONTENT").wait()
    second = asyncio.create_task(send(server, pool, SECOND))
    return first, second


async def send(server: Scripted, pool: Pool, envelope: Envelope) -> Verdict:
    return await pool.send(transport(server.port), envelope, CONTENT, lambda: None)


async def arrived(server: Scripted, what: bytes) -> None:
    async with asyncio.timeout(5):
        while what not in server.received():
            await asyncio.sleep(0.001)


async def test_the_next_envelope_rides_behind_a_content() -> None:
    """The next envelope is there before the content is answered, its content only after that."""
    async with one_connection({"CONTENT": [Do.WAIT]}) as (server, pool):
        first, second = await both(server, pool)
        await arrived(server, b"MAIL FROM:<news@acme.example>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n")
        begun = len(server.messages)
        server.released.set()

        assert ((await first).text, (await second).text) == ("queued as 1", "queued as 2")
    assert (begun, server.connections) == (1, 1)


async def test_nothing_rides_where_the_server_does_not_pipeline() -> None:
    """A server that does not offer it gets one command at a time, so nothing behind a content either."""
    async with one_connection({"CONTENT": [Do.WAIT]}, extensions=()) as (server, pool):
        first, second = await both(server, pool)
        await asyncio.sleep(0.02)
        ridden = server.received()
        server.released.set()

        assert (await first).accepted
        assert (await second).accepted
    assert ridden == b""


async def test_what_rides_goes_on_elsewhere_when_the_content_is_lost() -> None:
    """A connection lost in a content leaves that one unknown, and sends who rode behind it over another."""
    async with one_connection({"CONTENT": [Do.HANG]}) as (server, pool):
        first, second = await both(server, pool)
        await arrived(server, b"bob")
        server.released.set()

        assert (await first).stage is Stage.CONTENT
        assert (await second).accepted
    assert server.connections == 2


@pytest.mark.parametrize("how", ["cancelled", "revoked"])
async def test_who_rides_and_leaves_does_not_harm_the_content(how: str) -> None:
    """A message that is given up in its envelope ends the connection only once the content before it is answered."""

    def revoke() -> None:
        raise Revoked

    async with one_connection({"CONTENT": [Do.WAIT]}) as (server, pool):
        first = asyncio.create_task(send(server, pool, FIRST))
        await server.event("CONTENT").wait()
        second = asyncio.create_task(pool.send(transport(server.port), SECOND, CONTENT, revoke))
        await arrived(server, b"bob")
        if how == "cancelled":
            second.cancel()
            await asyncio.wait([second])
        server.released.set()
        third = await send(server, pool, FIRST)

        assert (await first).text == "queued as 1"
        assert third.text == "queued as 2"
    assert server.connections == 2


async def test_a_refused_recipient_behind_a_content() -> None:
    """A refusal behind a content is its own message's, and the connection goes on."""
    async with one_connection({"CONTENT": [Do.WAIT], "RCPT": [Do.BEHAVE, "550 5.1.1 nobody"]}) as (server, pool):
        first, second = await both(server, pool)
        await arrived(server, b"bob")
        server.released.set()
        third = await send(server, pool, FIRST)

        assert (await first).text == "queued as 1"
        assert (await second).line == "550 5.1.1 nobody"
        assert third.text == "queued as 2"
    assert server.connections == 1


@pytest.mark.parametrize("surprise", ["550 5.1.1 surprise", "250 surprise", "354 surprise", "421 surprise"])
async def test_a_reply_nobody_asked_for_is_not_taken_for_a_refusal(surprise: str) -> None:
    """One reply too many between a content's answer and the next envelope's fails nobody: that one is sent anew."""
    async with one_connection({"CONTENT": [(Do.WAIT, surprise)]}) as (server, pool):
        first, second = await both(server, pool)
        await arrived(server, b"bob")
        server.released.set()

        assert (await first).text == "queued as 1"
        assert (await second).accepted
    assert server.messages == [CONTENT] * 2


@pytest.mark.parametrize("surplus", [b"250 surplus", b"550 5.1.1 surplus"])
async def test_a_refusal_is_nobodys_where_one_reply_is_left_over(surplus: bytes) -> None:
    """With a content answered twice, the refusal of a sender behind it is not taken for that of a recipient."""
    refused = b"\r\n550 5.7.1 sender refused\r\n503 5.5.1 no\r\n503 5.5.1 no\r\n"
    async with one_connection({"CONTENT": [(Do.WAIT, surplus + refused)]}) as (server, pool):
        first, second = await both(server, pool)
        await arrived(server, b"bob")
        server.released.set()

        assert (await first).text == "queued as 1"
        assert (await second).accepted
    assert server.connections == 2


@pytest.mark.parametrize("ahead", ["answered", "under way"])
async def test_what_rides_and_cannot_be_made(ahead: str) -> None:
    """A message whose content cannot be made after its envelope was taken does not leave the server waiting for one."""

    def unmade() -> bytes:
        raise LookupError

    async with one_connection({"DATA": [Do.WAIT]}) as (server, pool):
        first = asyncio.create_task(send(server, pool, FIRST))
        await server.event("DATA").wait()
        second = asyncio.create_task(pool.send(transport(server.port), SECOND, unmade, lambda: None))
        third = asyncio.create_task(send(server, pool, FIRST))
        if ahead == "under way":
            server.script["CONTENT"] = [Do.WAIT]
        server.released.set()
        with pytest.raises(LookupError):
            await second

        assert (await first).text == "queued as 1"
        assert (await third).text == "queued as 2"
    assert server.messages == [CONTENT] * 2


async def test_a_refused_content_does_not_touch_who_rides() -> None:
    """A content that is refused is refused alone."""
    async with one_connection({"CONTENT": ["550 5.7.1 spam"]}) as (server, pool):
        first, second = await asyncio.gather(send(server, pool, FIRST), send(server, pool, SECOND))

    assert (first.line, second.text) == ("550 5.7.1 spam", "queued as 2")
    assert server.connections == 1


async def test_a_server_that_throws_the_envelope_away() -> None:
    """A server that forgets what follows a final dot gets one command at a time from then on."""
    silent: dict[str, Sequence[Act]] = {verb: [Do.BEHAVE, b""] for verb in ("MAIL", "RCPT", "DATA")}
    hasty = Timeouts(connect_s=10, envelope_s=0.1, content_s=10)
    async with one_connection({**silent, "CONTENT": [Do.WAIT, Do.WAIT]}, timeouts=hasty) as (server, pool):
        first, second = await both(server, pool)
        await arrived(server, b"bob")
        server.released.set()
        verdicts = [*await asyncio.gather(first, second)]
        server.released.clear()
        server.script["CONTENT"] = [Do.WAIT]
        server.event("CONTENT").clear()
        third, fourth = await both(server, pool)
        await asyncio.sleep(0.02)
        ridden = server.received()
        server.released.set()
        verdicts += await asyncio.gather(third, fourth)

    assert all(verdict.accepted for verdict in verdicts)
    assert (ridden, server.connections) == (b"", 2)


async def test_a_closing_answer_sends_who_rides_elsewhere() -> None:
    """A server that closes with the answer to a content has not refused the next message."""
    async with one_connection({"CONTENT": [(Do.WAIT, Do.DROP)]}) as (server, pool):
        first, second = await both(server, pool)
        await arrived(server, b"bob")
        server.released.set()

        assert (await first).accepted
        assert (await second).accepted
    assert server.connections == 2


async def test_closing_ends_who_rides_unsent() -> None:
    """Where the pool is closed, the content under way is unknown, and who rode behind it is not sent."""
    async with one_connection({"CONTENT": [Do.HANG]}) as (server, pool):
        first, second = await both(server, pool)
        await arrived(server, b"bob")
        await pool.close()

        assert (await first).stage is Stage.CONTENT
        with pytest.raises(PoolClosed):
            await second


async def test_a_large_content_over_tls_with_an_envelope_behind_it(
    client_tls: ssl.SSLContext, server_tls: ssl.SSLContext
) -> None:
    """What encryption adds to an envelope behind a content is not taken for content that the server has not got yet."""
    more_than_sockets_hold = (b"x" * 70 + b"\r\n") * 150_000
    async with scripted(tls=server_tls) as server:
        pool = Pool(Connector(settings(PATIENT), client_tls), concurrency=1)
        at = transport(server.port, host="localhost", security=Security.TLS)
        sending = [pool.send(at, to, more_than_sockets_hold, lambda: None) for to in (FIRST, SECOND, FIRST)]
        verdicts = await asyncio.gather(*sending)
        await pool.close()

    assert [verdict.accepted for verdict in verdicts] == [True] * 3
    assert server.connections == 1


async def test_a_servers_limit_of_messages_is_kept_by_who_rides() -> None:
    """No envelope rides on a connection that has carried as many messages as its server takes (RFC 9422)."""
    async with one_connection({"CONTENT": [Do.WAIT]}, extensions=["PIPELINING", "LIMITS MAILMAX=1"]) as (server, pool):
        first, second = await both(server, pool)
        await asyncio.sleep(0.02)
        ridden = server.received()
        server.released.set()

        assert (await first).accepted
        assert (await second).accepted
    assert (ridden, server.connections) == (b"", 2)
