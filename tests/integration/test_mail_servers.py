"""Our transactions with mail servers that others wrote, each of which is run as its authors made it."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from faults.real_servers import Taker, aiosmtpd, postfix_sink
from maillane_chassis.reach import LOOPBACK
from maillane_sender.message import Recipient, Sender, Source, compile_message, render
from maillane_sender.smtp import Connector, ConnectSettings, Envelope, Guard, Pool, Security, Transport, Verdict
from support.programs import CannotRun

from .mail_servers import REFUSED_DOMAIN, postfix, smtp_server

MAILS = 240
CONNECTIONS = 3
REFUSED_EACH = 8
"""Every so manieth recipient is one that the server refuses."""

ADDRESS = "news@acme.example"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LONGEST_LINE = b"." + b"x" * 997
"""RFC 5321 §4.5.3.1.6: 1,000 octets with its end, the dot that is put before it not counted."""

Server = AbstractAsyncContextManager[Taker]


def aiosmtpd_here(_folder: Path) -> Server:
    return aiosmtpd(refused_domain=REFUSED_DOMAIN)


SINK = "Postfix's smtp-sink"
"""It refuses nobody, and writes what it took as a file of its own: with LF, and an empty line at the end."""

SERVERS: dict[str, Callable[[Path], Server]] = {
    "aiosmtpd": aiosmtpd_here,
    "Postfix": lambda _folder: postfix(),
    SINK: postfix_sink,
    "npm's smtp-server": lambda _folder: smtp_server(),
}


@pytest.mark.parametrize("name", SERVERS)
async def test_each_mail_arrives_once_as_it_was_sent(name: str, tmp_path: Path) -> None:
    """Of many mails over few connections, envelopes riding behind contents, each arrives once, byte for byte."""
    recipients = [f"r{n}@{domain(n, name)}" for n in range(MAILS)]
    verdicts: list[Verdict]
    try:
        async with SERVERS[name](tmp_path) as server:
            verdicts = await sent(server.port, recipients)
    except CannotRun as error:
        pytest.fail(str(error), pytrace=False)

    taken = sorted((mail.sender, *mail.recipients, as_wired(name, mail.content)) for mail in server.taken)
    good = [recipient for recipient in recipients if REFUSED_DOMAIN not in recipient]
    assert taken == sorted((ADDRESS, recipient, content(recipient)) for recipient in good)
    assert [recipients[n] for n, verdict in enumerate(verdicts) if verdict.accepted] == good
    assert {verdict.code for verdict in verdicts} <= {250, 550}


def domain(number: int, server: str) -> str:
    return "example.net" if number % REFUSED_EACH or server == SINK else REFUSED_DOMAIN


def as_wired(server: str, taken: bytes) -> bytes:
    return taken.removesuffix(b"\n").replace(b"\n", b"\r\n") if server == SINK else taken


async def sent(port: int, recipients: list[str]) -> list[Verdict]:
    pool = Pool(Connector(SETTINGS, ssl.create_default_context()), concurrency=CONNECTIONS)
    on = Transport("127.0.0.1", port, Security.NONE, "", "", mailbox_id="1", revision=1, max_connections=CONNECTIONS)
    try:
        return await asyncio.gather(
            *(pool.send(on, Envelope(ADDRESS, recipient), wire(recipient), lambda: None) for recipient in recipients)
        )
    finally:
        await pool.close()


SETTINGS = ConnectSettings(guard=Guard(allowed=LOOPBACK, extra_ports=frozenset(range(1024, 65536))))
COMPILED = compile_message(Source("Hi {{who}}", ".\n..\n.{{who}}\n\n.", "<p>{{who}}</p>\n.\n"), Sender(ADDRESS, "Nëws"))


def wire(recipient: str) -> bytes:
    """A mail as the compiler makes it, and lines beyond what it would ever make."""
    made = render(COMPILED, Recipient(recipient, {"who": recipient}), f"<{recipient}>", NOW)
    return made + b"." + LONGEST_LINE + b"\r\n..\r\n" + LONGEST_LINE[1:] + b"\r\n\r\n"


def content(recipient: str) -> bytes:
    """The same, as its reader should have it."""
    return wire(recipient).replace(b"\r\n.", b"\r\n")
