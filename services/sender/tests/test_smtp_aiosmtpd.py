"""Whole conversations with aiosmtpd: another's server, with TLS, AUTH and content as real servers take it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from aiosmtpd.smtp import Envelope as Received
from maillane_sender.message import Recipient, Sender, Source, compile_message, envelope, render
from maillane_sender.smtp import Connector, Pool, Security, Transport, Verifier

from .scripted import settings, transport

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Inbox:
    """Keeps what aiosmtpd accepts."""

    def __init__(self) -> None:
        self.received: list[Received] = []

    async def handle_DATA(self, server: object, session: object, envelope: Received) -> str:  # noqa: N802
        self.received.append(envelope)
        return f"250 2.0.0 queued as {len(self.received)}"


@contextlib.asynccontextmanager
async def aiosmtpd(tls: ssl.SSLContext, security: Security) -> AsyncIterator[tuple[Inbox, Transport]]:
    inbox = Inbox()

    def session() -> SMTP:
        return SMTP(
            inbox,
            enable_SMTPUTF8=True,
            tls_context=tls if security is Security.STARTTLS else None,
            require_starttls=security is Security.STARTTLS,
            auth_required=True,
            auth_require_tls=security is Security.STARTTLS,
            authenticator=lambda *_args: AuthResult(success=True),
            command_call_limit=100_000,
        )

    server = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", 0, ssl=tls if security is Security.TLS else None
    )
    port = server.sockets[0].getsockname()[1]
    try:
        yield inbox, transport(port, host="localhost", security=security, username="zoe", password="s3cret")
    finally:
        server.close()


@pytest.mark.parametrize("security", list(Security))
async def test_a_campaign(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, security: Security) -> None:
    """Fifty messages over five connections arrive once each, whole, whatever the encryption."""
    compiled = compile_message(
        Source("Hi {{name}}", ".\n.{{name}}\n..\nBye", "<p>{{name}}</p>"), Sender("a@acme.example")
    )
    addresses = [f"r{n}@example.net" for n in range(50)]

    async def one(pool: Pool, on: Transport, address: str) -> str:
        content = render(compiled, Recipient(address, {"name": address}), f"<{address}>", NOW)
        return (await pool.send(on, envelope("a@acme.example", address), content, lambda: None)).line

    async with aiosmtpd(server_tls, security) as (inbox, on):
        pool = Pool(Connector(settings(), client_tls))
        lines = await asyncio.gather(*(one(pool, on, address) for address in addresses))
        await pool.close()

    assert sorted(lines) == sorted(f"250 2.0.0 queued as {n + 1}" for n in range(50))
    assert sorted(e.rcpt_tos[0] for e in inbox.received) == sorted(addresses)
    for received in inbox.received:
        assert isinstance(received.content, bytes)
        body = message_from_bytes(received.content, policy=policy.default).get_body(("plain",))
        assert body is not None
        assert body.get_content().replace("\r\n", "\n") == f".\n.{received.rcpt_tos[0]}\n..\nBye\n"


async def test_an_international_address(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    """A local part that is not ASCII arrives by SMTPUTF8, its domain in ASCII."""
    compiled = compile_message(Source("Hi", "Hello"), Sender("a@acme.example"))
    content = render(compiled, Recipient("zoë@bücher.example"), "<1@acme.example>", NOW)
    async with aiosmtpd(server_tls, Security.TLS) as (inbox, on):
        pool = Pool(Connector(settings(), client_tls))
        verdict = await pool.send(on, envelope("a@acme.example", "zoë@bücher.example"), content, lambda: None)
        await pool.close()

    assert verdict.accepted
    assert inbox.received[0].rcpt_tos == ["zoë@xn--bcher-kva.example"]


async def test_verify(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    """A mailbox is verified without a message."""
    async with aiosmtpd(server_tls, Security.STARTTLS) as (inbox, on):
        result = await Verifier(Connector(settings(), client_tls)).verify(on)

    assert result.failed is None
    assert inbox.received == []
