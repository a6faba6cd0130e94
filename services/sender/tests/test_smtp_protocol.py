"""One connection and its transactions, against a server that misbehaves at every step."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from weakref import WeakKeyDictionary

import pytest
from maillane_sender.smtp import Connector, Envelope, Revoked, Stage, Timeouts, Verdict
from maillane_sender.smtp.protocol import Connection
from maillane_sender.smtp.verdict import Command

from .scripted import PATIENT, QUICK, Do, Script, Scripted, scripted, settings, transport

ENVELOPE = Envelope("news@acme.example", "zoe@example.net")
CONTENT = b"Subject: Hi\r\n\r\nHello\r\n"
PIPELINING = ("PIPELINING",)
STEPS = ["MAIL", "RCPT", "DATA", "CONTENT"]
GARBAGE = {
    "no code": b"hello\r\n",
    "binary": b"\x00\xff\xfe\r\n",
    "impossible code": b"999 what\r\n",
    "four digits": b"2500 ok\r\n",
    "intermediate": b"150 wait\r\n",
    "changing code": b"250-one\r\n550 two\r\n",
    "endless line": b"250 " + b"a" * 10_000,
    "endless reply": b"250-more\r\n" * 5000,
}


@contextlib.asynccontextmanager
async def connected(
    script: Script | None = None, *, extensions: Sequence[str] = PIPELINING, timeouts: Timeouts = PATIENT
) -> AsyncIterator[tuple[Connection, Scripted]]:
    async with scripted(script, extensions=extensions) as server:
        connector = Connector(settings(timeouts), ssl.create_default_context())
        connection = await connector.connect(transport(server.port))
        try:
            yield connection, server
        finally:
            closed[connection] = connection._transport.is_closing() and not connection.usable
            connection.abort()


closed: WeakKeyDictionary[Connection, bool] = WeakKeyDictionary()


def given_up(connection: Connection) -> bool:
    """Whether the connection had been closed when the test was done with it, before it was closed for tidiness."""
    return closed[connection]


async def send(connection: Connection, content: bytes = CONTENT) -> Verdict:
    return await connection.transact(ENVELOPE, content, lambda: None)


@pytest.mark.parametrize("extensions", [PIPELINING, ()])
async def test_sends(extensions: Sequence[str]) -> None:
    """A message that the server takes arrives as it is, and the verdict is the server's answer."""
    async with connected(extensions=extensions) as (connection, server):
        verdict = await send(connection)

    assert server.messages == [CONTENT]
    assert verdict == Verdict(Stage.REPLIED, 250, "2.0.0", "queued as 1", Command.CONTENT)


@pytest.mark.parametrize(("extensions", "together"), [(PIPELINING, True), ((), False)])
async def test_pipelining(extensions: Sequence[str], together: bool) -> None:
    """The envelope is one write where the server offers PIPELINING, and otherwise waits for every answer."""
    async with connected({"MAIL": [(Do.HANG,)]}, extensions=extensions) as (connection, server):
        wire = server.received
        sending = asyncio.create_task(send(connection))
        await server.event("MAIL").wait()
        sending.cancel()

    assert wire() == (b"RCPT TO:<zoe@example.net>\r\nDATA\r\n" if together else b"")


@pytest.mark.parametrize("extensions", [PIPELINING, ()])
@pytest.mark.parametrize("act", [Do.DROP, Do.HANG])
@pytest.mark.parametrize("step", STEPS)
async def test_a_lost_connection(step: str, act: Do, extensions: Sequence[str]) -> None:
    """Lost or hung before content is not sent, after its first byte is unknown, and the connection is never reused."""
    async with connected({step: [act]}, extensions=extensions, timeouts=QUICK) as (connection, _):
        verdict = await send(connection)

    assert (verdict.stage, verdict.code) == (Stage.CONTENT if step == "CONTENT" else Stage.ENVELOPE, 0)
    assert verdict.text
    assert given_up(connection)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage(step: str, garbage: str) -> None:
    """What is no reply ends the connection: before content not sent, after it unknown."""
    async with connected({step: [GARBAGE[garbage]]}) as (connection, _):
        verdict = await send(connection)

    assert verdict.stage is (Stage.CONTENT if step == "CONTENT" else Stage.ENVELOPE)
    assert given_up(connection)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
async def test_an_unsolicited_reply_in_the_envelope(step: str) -> None:
    """One reply too many before content ends the connection, and no content leaves."""
    async with connected({step: [(Do.BEHAVE, "250 surprise")]}) as (connection, server):
        verdict = await send(connection)

    assert verdict.stage is Stage.ENVELOPE
    assert server.messages == []


async def test_an_unsolicited_reply_after_content() -> None:
    """One reply too many after the answer leaves the answer as it is, and the connection unusable."""
    async with connected({"CONTENT": [(Do.BEHAVE, "250 surprise")]}) as (connection, _):
        verdict = await send(connection)
        await asyncio.sleep(0)

        assert verdict.accepted
        assert not connection.usable


async def test_half_a_reply_after_content() -> None:
    """The beginning of a further reply is enough to give the connection up."""
    async with connected({"CONTENT": [(Do.BEHAVE, b"250")]}) as (connection, _):
        await send(connection)

        assert not connection.usable


@pytest.mark.parametrize("extensions", [PIPELINING, ()])
@pytest.mark.parametrize("step", STEPS)
async def test_a_refusal(step: str, extensions: Sequence[str]) -> None:
    """A refusal at any step is an answer, and the connection serves the next message."""
    async with connected({step: ["550-5.1.1 No such\r\n550 5.1.1 user here"]}, extensions=extensions) as (
        connection,
        _,
    ):
        refused = await send(connection)
        accepted = await send(connection)

    assert refused == Verdict(Stage.REPLIED, 550, "5.1.1", "No such user here", Command[step])
    assert accepted.accepted


async def test_a_refused_recipient_gets_a_lone_dot() -> None:
    """A server that says 354 although it refused the recipient gets a lone dot, and the next message is in order."""
    async with connected({"RCPT": ["550 no"], "DATA": ["354 go"], "CONTENT": ["554 no valid recipients"]}) as (
        connection,
        server,
    ):
        refused = await send(connection)
        accepted = await send(connection)

    assert (refused.code, refused.command) == (550, Command.RCPT)
    assert accepted.accepted
    assert server.messages == [b"", CONTENT]
    assert server.connections == 1


async def test_a_refused_sender_with_an_accepted_recipient() -> None:
    """Where the lone dot would deliver an empty message, the connection is closed instead."""
    async with connected({"MAIL": ["550 no"], "RCPT": ["250 ok"], "DATA": ["354 go"]}) as (connection, server):
        verdict = await send(connection)

    assert (verdict.code, verdict.command) == (550, Command.MAIL)
    assert server.messages == []
    assert given_up(connection)


async def test_a_refusal_survives_the_drop_after_it() -> None:
    """A refusal counts although the connection was lost before the rest of the answers."""
    async with connected({"RCPT": [("550 5.1.1 nobody", Do.DROP)]}) as (connection, _):
        verdict = await send(connection)

    assert (verdict.stage, verdict.code) == (Stage.REPLIED, 550)


@pytest.mark.parametrize("step", STEPS)
async def test_a_closing_reply_closes(step: str) -> None:
    """421 is an answer, and the end of the connection."""
    async with connected({step: ["421 4.7.0 later"]}) as (connection, _):
        verdict = await send(connection)

    assert (verdict.code, verdict.enhanced, verdict.command) == (421, "4.7.0", Command[step])
    assert given_up(connection)


@pytest.mark.parametrize(
    ("step", "reply"), [("MAIL", "354 go"), ("RCPT", "354 go"), ("DATA", "250 ok"), ("CONTENT", "354 go")]
)
async def test_a_reply_out_of_place(step: str, reply: str) -> None:
    """A well-formed reply that cannot answer its command ends the connection."""
    async with connected({step: [reply]}) as (connection, _):
        verdict = await send(connection)

    assert verdict.stage is (Stage.CONTENT if step == "CONTENT" else Stage.ENVELOPE)
    assert given_up(connection)


async def test_a_reply_byte_by_byte_meets_the_deadline() -> None:
    """A deadline does not start anew because a byte arrived."""
    drip = tuple(bytes([byte]) for byte in b"250 2.0.0 " + b"x" * 500)

    async def slowly(writer: asyncio.StreamWriter) -> None:
        for byte in drip:
            writer.write(byte)
            await asyncio.sleep(0.02)

    async with connected(timeouts=QUICK) as (connection, server):
        usual = server._act

        async def act(event: str, writer: asyncio.StreamWriter) -> str:
            if event == "CONTENT":
                await slowly(writer)
            return await usual(event, writer)

        server._act = act  # type: ignore[method-assign]
        async with asyncio.timeout(QUICK.content_s + 1):
            verdict = await send(connection)

    assert verdict == Verdict(Stage.CONTENT, 0, "", "no answer in time", Command.CONTENT)


@pytest.mark.parametrize(("early", "expected"), [("250 fine", (Stage.CONTENT, 0)), ("552 no", (Stage.REPLIED, 552))])
async def test_an_answer_before_the_content_is_there(early: str, expected: tuple[Stage, int]) -> None:
    """A yes to content that the server cannot have read yet is worth nothing; a no is a no."""
    more_than_sockets_hold = (b"x" * 70 + b"\r\n") * 300_000
    async with connected({"DATA": [Do.BEHAVE]}) as (connection, server):

        async def answer_unread(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(1)
            writer.write(early.encode() + b"\r\n")
            await server.released.wait()

        server._take_content = answer_unread  # type: ignore[method-assign]
        verdict = await send(connection, more_than_sockets_hold)

    assert (verdict.stage, verdict.code) == expected
    assert given_up(connection)


async def test_revoked_before_content() -> None:
    """A revocation right before content ends the connection; the server gets no byte of it."""

    def revoke() -> None:
        raise Revoked

    async with connected() as (connection, server):
        verdict = await connection.transact(ENVELOPE, CONTENT, revoke)

    assert verdict.stage is Stage.ENVELOPE
    assert server.messages == []
    assert given_up(connection)


async def test_on_content_is_not_called_for_a_refused_recipient() -> None:
    """Content that never begins is not announced."""
    calls: list[str] = []
    async with connected({"RCPT": ["550 no"]}) as (connection, _):
        await connection.transact(ENVELOPE, CONTENT, lambda: calls.append("content"))

    assert calls == []


async def test_cancelled_in_content() -> None:
    """A cancelled transaction leaves no connection for reuse."""
    async with connected({"CONTENT": [Do.HANG]}) as (connection, server):
        sending = asyncio.create_task(send(connection))
        await server.event("CONTENT").wait()
        sending.cancel()
        await asyncio.wait([sending])

    assert sending.cancelled()
    assert given_up(connection)


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope("a@x.example\r\nRCPT TO:<b@x.example>", "c@x.example"),
        Envelope("a@x.example", "c@x.example> NOTIFY=NEVER"),
        Envelope("a@x.example", "ü@x.example"),
    ],
)
async def test_an_envelope_that_would_break_out(envelope: Envelope) -> None:
    """Nothing is written for an address that would be more than an address."""
    async with connected() as (connection, server):
        with pytest.raises(ValueError, match=r"address|ascii"):
            await connection.transact(envelope, CONTENT, lambda: None)

    assert server.verbs == ["EHLO"]


@pytest.mark.parametrize(
    "content", [b"no end", b"a\r\n.\r\nMAIL FROM:<x@y.example>\r\n", b".\r\nRSET\r\n", b"a\n.\nRSET\r\n", b"a\r.\r\n"]
)
async def test_content_that_would_break_out(content: bytes) -> None:
    """Nothing is written for content that holds the final dot, or would swallow it."""
    async with connected() as (connection, server):
        with pytest.raises(ValueError, match="dot-stuffed"):
            await send(connection, content)

    assert server.verbs == ["EHLO"]


async def test_smtputf8() -> None:
    """An address that is not ASCII goes out with SMTPUTF8."""
    envelope = Envelope("news@acme.example", "zoë@example.net", smtputf8=True)
    async with connected(extensions=("PIPELINING", "SMTPUTF8")) as (connection, server):
        verdict = await connection.transact(envelope, CONTENT, lambda: None)

    assert verdict.accepted
    assert server.commands[1:3] == ["MAIL FROM:<news@acme.example> SMTPUTF8", "RCPT TO:<zoë@example.net>"]


async def test_no_smtputf8() -> None:
    """Without it such a message is refused before anything is said, and the connection stays."""
    envelope = Envelope("news@acme.example", "zoë@example.net", smtputf8=True)
    async with connected() as (connection, server):
        verdict = await connection.transact(envelope, CONTENT, lambda: None)

        assert (verdict.stage, verdict.enhanced) == (Stage.REPLIED, "5.6.7")
        assert connection.usable
        assert server.verbs == ["EHLO"]


@pytest.mark.parametrize(
    "script",
    [
        {"RCPT": [Do.DROP]},
        {"RCPT": [Do.HANG]},
        {"MAIL": [("250 ok", "250 ok")]},
        {"RCPT": ["503 5.5.1 bad sequence"]},
        {"MAIL": ["554 5.5.0 Error: improper command pipelining"]},
    ],
)
async def test_a_server_that_cannot_pipeline_is_noticed(script: Script) -> None:
    """What breaks on a pipelined envelope is not held against the message."""
    async with connected(script, timeouts=QUICK) as (connection, _):
        verdict = await send(connection)

    assert connection.misbehaved
    assert verdict.stage is Stage.ENVELOPE


async def test_a_reused_connection_that_ends_is_no_misbehaviour() -> None:
    """A server may close what sat idle."""
    async with connected({"MAIL": [Do.BEHAVE, Do.DROP]}) as (connection, _):
        await send(connection)
        verdict = await send(connection)

    assert verdict.stage is Stage.ENVELOPE
    assert not connection.misbehaved
