"""Connecting: each step can fail, and says so."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from ipaddress import ip_network

import pytest
from maillane_sender.smtp import (
    ConnectFailed,
    Connector,
    ConnectStage,
    Guard,
    Kind,
    Outcome,
    Reason,
    Scope,
    Security,
    classify_connect,
)

from .scripted import QUICK, Do, Script, scripted, settings, transport

LOGIN = {"username": "zoe", "password": "s3cret"}


async def failure(connector: Connector, port: int, **changes: object) -> ConnectFailed:
    with pytest.raises(ConnectFailed) as failed:
        await connector.connect(transport(port, **changes))
    return failed.value


@pytest.fixture
def connector(client_tls: ssl.SSLContext) -> Connector:
    return Connector(settings(), client_tls)


@pytest.fixture
def hasty(client_tls: ssl.SSLContext) -> Connector:
    return Connector(settings(QUICK), client_tls)


async def test_tls(connector: Connector, server_tls: ssl.SSLContext) -> None:
    """With TLS everything is encrypted, and the certificate is checked against the host's name."""
    async with scripted(tls=server_tls, extensions=["PIPELINING", "AUTH PLAIN LOGIN"]) as server:
        connection = await connector.connect(transport(server.port, host="localhost", security=Security.TLS, **LOGIN))
        await connection.quit()

    assert server.verbs == ["EHLO", "AUTH", "QUIT"]
    assert connection.features.pipelining


async def test_starttls(connector: Connector, server_tls: ssl.SSLContext) -> None:
    """With STARTTLS the password goes over the encrypted connection, after a second EHLO."""
    async with scripted(starttls=server_tls, extensions=["STARTTLS", "AUTH PLAIN"]) as server:
        on = transport(server.port, host="localhost", security=Security.STARTTLS, **LOGIN)
        connection = await connector.connect(on)
        await connection.quit()

    assert server.verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT"]
    assert server.commands[3] == "AUTH PLAIN " + base64.b64encode(b"\0zoe\0s3cret").decode()


@pytest.mark.parametrize("offered", ["AUTH LOGIN", "AUTH XOAUTH2", "AUTH CRAM-MD5 PLAIN", "AUTH=LOGIN"])
async def test_mechanisms(connector: Connector, offered: str) -> None:
    """Each mechanism that we speak is used where it is the one to use, and only one try is made."""
    replies = ["334 UGFzc3dvcmQ6"] if "LOGIN" in offered else []
    script: Script = {"AUTH": replies, base64.b64encode(b"s3cret").decode().upper(): ["235 2.7.0 welcome"]}
    async with scripted(script, extensions=[offered]) as server:
        connection = await connector.connect(transport(server.port, **LOGIN))
        await connection.quit()

    assert server.verbs.count("AUTH") == 1


async def test_a_wrong_password_is_tried_once(connector: Connector) -> None:
    """A refused password is not tried again with another mechanism: that would lock the account."""
    script: Script = {"AUTH": ["535 5.7.8 Username and Password not accepted", "235 never"]}
    async with scripted(script, extensions=["AUTH PLAIN LOGIN"]) as server:
        failed = await failure(connector, server.port, **LOGIN)

    assert (failed.stage, failed.code) == (ConnectStage.AUTH, 535)
    assert failed.reason == "535 5.7.8 Username and Password not accepted"
    assert server.verbs == ["EHLO", "AUTH"]


@pytest.mark.parametrize(("offered", "answer"), [("PLAIN", "{plain}"), ("LOGIN", "{login}"), ("XOAUTH2", "{bearer}")])
async def test_a_password_that_comes_back_is_not_told(connector: Connector, offered: str, answer: str) -> None:
    """A server that repeats what it did not understand puts no password into what people read."""
    forms = {"plain": b"\0zoe\0s3cret", "login": b"s3cret", "bearer": b"user=zoe\1auth=Bearer s3cret\1\1"}
    encoded = answer.format(**{name: base64.b64encode(form).decode() for name, form in forms.items()})
    refused = f"500 5.5.2 not understood: AUTH {encoded} (s3cret)"
    async with scripted({"AUTH": [refused]}, extensions=[f"AUTH {offered}"]) as server:
        failed = await failure(connector, server.port, **LOGIN)

    assert failed.reason == "500 5.5.2 not understood: AUTH [redacted] ([redacted])"


async def test_a_mechanism_that_is_none(connector: Connector) -> None:
    """A server that listed PLAIN without doing it is asked for LOGIN."""
    script: Script = {"AUTH": ["504 5.5.4 unrecognized", "334 UGFzc3dvcmQ6"], "CZNJCMV0": ["235 welcome"]}
    async with scripted(script, extensions=["AUTH PLAIN LOGIN"]) as server:
        connection = await connector.connect(transport(server.port, **LOGIN))
        connection.abort()

    assert server.verbs[:3] == ["EHLO", "AUTH", "AUTH"]


async def test_no_auth(connector: Connector) -> None:
    """A server without AUTH cannot be logged in to, and gets no password."""
    async with scripted() as server:
        failed = await failure(connector, server.port, **LOGIN)

    assert failed.stage is ConnectStage.AUTH
    assert "no AUTH that we speak" in failed.reason
    assert server.verbs == ["EHLO"]


@pytest.mark.parametrize(
    ("event", "extensions", "stage"),
    [
        ("GREETING", (), ConnectStage.CONNECT),
        ("EHLO", (), ConnectStage.EHLO),
        ("STARTTLS", ("STARTTLS",), ConnectStage.TLS),
        ("AUTH", ("AUTH PLAIN",), ConnectStage.AUTH),
    ],
)
@pytest.mark.parametrize("act", [Do.DROP, Do.HANG, "421 4.3.2 closing", "554 5.3.2 no", b"\xff\xfe\r\n"])
async def test_each_step(
    hasty: Connector, event: str, extensions: list[str], stage: ConnectStage, act: Do | str | bytes
) -> None:
    """Whatever goes wrong at a step is reported as that step's, in words, and with the code where there is one."""
    security = Security.STARTTLS if event == "STARTTLS" else Security.NONE
    login = LOGIN if event == "AUTH" else {}
    async with scripted({event: [act]}, extensions=extensions) as server:
        failed = await failure(hasty, server.port, host="localhost", security=security, **login)

    assert failed.stage is stage
    assert failed.reason
    assert failed.code == (int(act[:3]) if isinstance(act, str) else failed.code)


async def test_no_starttls(connector: Connector) -> None:
    """STARTTLS that is not offered ends it: an offer can be stripped, and nothing goes out in clear."""
    async with scripted(extensions=["AUTH PLAIN"]) as server:
        failed = await failure(connector, server.port, host="localhost", security=Security.STARTTLS, **LOGIN)

    assert failed.stage is ConnectStage.TLS
    assert server.verbs == ["EHLO"]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_certificate_for_another_name(
    connector: Connector, server_tls: ssl.SSLContext, security: Security
) -> None:
    """The name that the mailbox has is the one that the certificate must hold for, not the address connected to."""
    tls, starttls = (server_tls, None) if security is Security.TLS else (None, server_tls)
    async with scripted(tls=tls, starttls=starttls, extensions=["STARTTLS"]) as server:
        failed = await failure(connector, server.port, host="127.0.0.1", security=security)

    assert failed.stage is ConnectStage.TLS
    assert "certificate" in failed.reason


async def test_an_unknown_authority(server_tls: ssl.SSLContext) -> None:
    """A certificate that nobody we trust signed does not hold."""
    connector = Connector(settings(), ssl.create_default_context())
    async with scripted(tls=server_tls) as server:
        failed = await failure(connector, server.port, host="localhost", security=Security.TLS)

    assert failed.stage is ConnectStage.TLS


async def test_tls_to_a_server_in_clear(connector: Connector) -> None:
    """A handshake with a server that speaks no TLS fails as TLS."""
    async with scripted() as server:
        failed = await failure(connector, server.port, host="localhost", security=Security.TLS)

    assert failed.stage is ConnectStage.TLS


async def test_plaintext_to_a_tls_server(hasty: Connector, server_tls: ssl.SSLContext) -> None:
    """A server that waits for a handshake never greets."""
    async with scripted(tls=server_tls) as server:
        failed = await failure(hasty, server.port)

    assert failed.stage is ConnectStage.CONNECT


async def test_nobody_listens(connector: Connector) -> None:
    """A refused TCP connection is said to be one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    failed = await failure(connector, port)

    assert (failed.stage, failed.reason) == (ConnectStage.CONNECT, "Connection refused")


async def test_a_name_without_an_address(connector: Connector) -> None:
    """A name that does not resolve is said to be one."""
    failed = await failure(connector, 587, host="nowhere.invalid", security=Security.TLS)

    assert failed.stage is ConnectStage.RESOLVE
    assert failed.reason.startswith("nowhere.invalid: ")


async def test_a_host_that_may_not_be_reached(client_tls: ssl.SSLContext) -> None:
    """The guard's refusal happens before anything is connected to."""
    async with scripted() as server:
        guarded = Connector(settings(guard=Guard(extra_ports=frozenset({server.port}))), client_tls)
        failed = await failure(guarded, server.port, host="localhost")

    assert failed.stage is ConnectStage.REFUSED
    assert server.connections == 0


@pytest.mark.parametrize(
    ("plaintext_allowed", "login", "words"),
    [(False, {}, "without encryption"), (False, LOGIN, "password"), (True, LOGIN, "password")],
)
async def test_plaintext_off_this_machine(
    client_tls: ssl.SSLContext, plaintext_allowed: bool, login: dict[str, object], words: str
) -> None:
    """Unencrypted mail leaves this machine only where a setting allows it, and a password never does."""
    guard = Guard(allowed=(ip_network("192.0.2.0/24"),))
    connector = Connector(settings(guard=guard, plaintext_allowed=plaintext_allowed), client_tls)
    failed = await failure(connector, 25, host="192.0.2.1", **login)

    assert failed.stage is ConnectStage.REFUSED
    assert words in failed.reason


async def test_something_unasked_before_the_first_command(connector: Connector) -> None:
    """What came along with the last answer would be taken for the answer to MAIL."""
    async with scripted({"EHLO": [b"250 scripted\r\n250 surprise\r\n"]}) as server:
        failed = await failure(connector, server.port)

    assert failed.reason == "the server said something unasked"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("GREETING", b"220 scripted\r\n250 AUTH PLAIN\r\n"),
        ("EHLO", b"250-scripted\r\n250 AUTH PLAIN\r\n235 2.7.0 welcome\r\n"),
        ("EHLO", b"250-scripted\r\n250 AUTH PLAIN\r\n535 5.7.8 wrong\r\n"),
    ],
)
async def test_an_answer_ahead_of_its_question(connector: Connector, event: str, said: bytes) -> None:
    """An answer that came before its command ends the connection: no password follows, and none is found wrong."""
    async with scripted({event: [said]}) as server:
        failed = await failure(connector, server.port, **LOGIN)

    assert failed.reason == "the server said something unasked"
    assert "AUTH" not in server.verbs


async def test_cancelled_while_connecting(connector: Connector) -> None:
    """A cancelled attempt leaves no connection open."""
    async with scripted({"EHLO": [Do.HANG]}) as server:
        connecting = asyncio.create_task(connector.connect(transport(server.port)))
        await server.event("EHLO").wait()
        connecting.cancel()
        await asyncio.wait([connecting])
        server.released.set()
        await asyncio.wait(server.tasks)

        assert server.open == 0


async def test_limits(connector: Connector) -> None:
    """RFC 9422's MAILMAX is read from the EHLO answer."""
    async with scripted(extensions=["LIMITS RCPTMAX=1 MAILMAX=20", "SMTPUTF8"]) as server:
        connection = await connector.connect(transport(server.port))
        connection.abort()

    assert (connection.features.mail_max, connection.features.smtputf8, connection.features.pipelining) == (
        20,
        True,
        False,
    )


def test_no_password_in_a_transport() -> None:
    """A transport can be logged."""
    assert "s3cret" not in repr(transport(25, **LOGIN))


@pytest.mark.parametrize(
    ("event", "reply", "expected"),
    [
        ("AUTH", "535 5.7.8 Bad credentials", (Scope.MAILBOX, Reason.AUTH)),
        ("AUTH", "534 5.7.9 Application-specific password required", (Scope.MAILBOX, Reason.AUTH)),
        ("AUTH", "454 4.7.0 Temporary authentication failure", (Scope.MAILBOX, Reason.AUTH)),
        ("AUTH", "454 4.7.0 Too many login attempts, please try again later", (Scope.MAILBOX, Reason.RATE)),
        ("AUTH", "421 4.3.0 Temporary System Problem", (Scope.MAILBOX, Reason.AUTH)),
        ("GREETING", "421 Too many concurrent SMTP connections", (Scope.MAILBOX, Reason.TOO_MANY_CONNECTIONS)),
        ("GREETING", "421 4.3.2 Service not available", (Scope.SERVER, Reason.UNREACHABLE)),
        ("GREETING", "554 5.7.1 no", (Scope.SERVER, Reason.UNREACHABLE)),
    ],
)
async def test_what_a_failed_connection_means(
    connector: Connector, event: str, reply: str, expected: tuple[Scope, Reason]
) -> None:
    """It costs the message nothing, and parks its mailbox or its server."""
    async with scripted({event: [reply]}, extensions=["AUTH PLAIN"]) as server:
        failed = await failure(connector, server.port, **LOGIN)
    outcome = classify_connect(failed)

    assert (outcome.scope, outcome.reason) == expected
    assert outcome == Outcome(
        Kind.NOT_SENT,
        *expected,
        park=True,
        refund=True,
        fewer_connections=outcome.reason is Reason.TOO_MANY_CONNECTIONS,
    )
