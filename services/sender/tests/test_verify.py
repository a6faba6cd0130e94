"""Verifying a mailbox: what a person may have tried, and what they are told."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import trustme
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_status import rpc_status
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.sender.v1 import sender_service_pb2 as pb
from maillane.sender.v1.sender_service_pb2_grpc import SenderServiceStub
from maillane_chassis.channel import open_channel
from maillane_sender.api import sender_service, verify_words
from maillane_sender.api.quota import Quota
from maillane_sender.smtp import Connector, ConnectStage, Security, Verifier, verifier
from maillane_sender.smtp.verifier import Tried

from .fake_scheduler import MAILBOX, FakeScheduler, serving
from .running import running
from .scripted import Do, Script, Scripted, scripted, settings, transport

STEPS = [pb.STEP_RESOLVE, pb.STEP_CONNECT, pb.STEP_HELLO, pb.STEP_READY]


class Asker:
    """Verifies under a token."""

    def __init__(self, stub: Any, smtp: Scripted, fake: FakeScheduler) -> None:
        self._stub = stub
        self.smtp = smtp
        self.fake = fake

    async def __call__(self, token: str = "editor", **changes: Any) -> pb.VerifyMailboxResponse:
        values = {"host": "127.0.0.1", "port": self.smtp.port, "security": pb.SECURITY_NONE, **changes}
        metadata = (("authorization", f"Bearer {token}"),)
        answer: pb.VerifyMailboxResponse = await self._stub.VerifyMailbox(
            pb.VerifyMailboxRequest(**values), metadata=metadata
        )
        return answer

    async def refused(self, **changes: Any) -> grpc.aio.AioRpcError:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await self(**changes)
        return error.value


@contextlib.asynccontextmanager
async def asking(
    script: Script | None = None, *, extensions: tuple[str, ...] = (), **changes: Any
) -> AsyncIterator[Asker]:
    async with (
        scripted(script, extensions=extensions) as smtp,
        serving(FakeScheduler()) as fake,
        running(fake.port, smtp.port, **changes) as run,
    ):
        # A sender claims once it listens.
        await fake.until(lambda: bool(fake.calls))
        async with open_channel(f"127.0.0.1:{run.sender.server.port}", run.sender.settings) as channel:
            yield Asker(SenderServiceStub(channel), smtp, fake)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    info = ErrorInfo()
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    for detail in status.details:
        if detail.Unpack(info):
            return info.reason
    return ""


async def test_a_server_that_lets_us_in_is_verified_and_is_sent_nothing() -> None:
    """Each step in words."""
    async with asking() as ask:
        answer = await ask()

        assert answer.verified
        assert [step.step for step in answer.steps] == STEPS
        assert all(step.ok and step.detail for step in answer.steps)
        assert ask.smtp.verbs == ["EHLO", "QUIT"]


async def test_the_step_that_failed_is_the_last_and_the_servers_words_stand_beside_ours() -> None:
    """A server that refuses."""
    async with asking({"EHLO": ["550 5.7.1 not from there", "550 5.7.1 not from there"]}) as ask:
        answer = await ask()

    assert (answer.verified, answer.failed_step) == (False, pb.STEP_HELLO)
    assert [(step.step, step.ok) for step in answer.steps][-2:] == [(pb.STEP_CONNECT, True), (pb.STEP_HELLO, False)]
    assert answer.reason == answer.steps[-1].detail == "The server refuses to talk to this host."
    assert answer.reply.startswith("550")


async def test_where_nobody_listens_there_are_only_our_words() -> None:
    """No reply."""
    async with scripted() as gone:
        pass
    async with asking(smtp_ports=str(gone.port)) as ask:
        answer = await ask(port=gone.port)

    assert (answer.failed_step, answer.reply) == (pb.STEP_CONNECT, "")
    assert answer.reason == f"The server does not answer on port {gone.port}."


async def test_a_name_without_a_server_is_said_so() -> None:
    """Nothing else was tried."""
    async with asking() as ask:
        answer = await ask(host="nobody.invalid")

    assert (answer.failed_step, answer.reason) == (pb.STEP_RESOLVE, "No server by this name.")
    assert len(answer.steps) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"host": ""},
        {"host": "x" * 254},
        {"port": 0},
        {"port": 70_000},
        {"port": 22},
        {"security": pb.SECURITY_UNSPECIFIED},
        {"username": "u" * 321},
        {"password": "a\nb"},
        {"host": "169.254.169.254"},
        {"host": "8.8.8.8"},
        {"mailbox_id": "x"},
    ],
)
async def test_what_may_not_be_verified_is_an_error_of_the_call(changes: dict[str, Any]) -> None:
    """A field that is out of range, or a host, port or security that is not allowed."""
    async with asking() as ask:
        error = await ask.refused(**changes)

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("token", "code"),
    [("viewer", grpc.StatusCode.PERMISSION_DENIED), ("wrong", grpc.StatusCode.UNAUTHENTICATED)],
)
async def test_editors_may_verify_and_nobody_else(token: str, code: grpc.StatusCode) -> None:
    """The scheduler says who calls; no connection is made for others."""
    async with asking() as ask:
        error = await ask.refused(token=token)

        assert error.code() is code
        assert ask.smtp.connections == 0


async def test_a_mailbox_is_verified_as_it_is_kept() -> None:
    """With its own password, which nobody gave."""
    async with asking({}, extensions=("AUTH PLAIN",)) as ask:
        ask.fake.mailbox(ask.smtp.port, username="zoe", password="s3cret")
        answer = await ask(host="", port=0, security=0, mailbox_id=str(MAILBOX))

        assert answer.verified
        assert answer.steps[-2].detail == "Signed in"
        assert ask.smtp.verbs == ["EHLO", "AUTH", "QUIT"]


async def test_a_mailbox_of_another_workspace_is_not_found() -> None:
    """By the caller's own token; its password is not even asked for."""
    async with asking() as ask:
        ask.fake.mailbox(ask.smtp.port, username="zoe", password="s3cret")
        error = await ask.refused(token="stranger", mailbox_id=str(MAILBOX))

        assert (error.code(), reason_of(error)) == (grpc.StatusCode.NOT_FOUND, "MAILBOX_NOT_FOUND")
        assert ask.smtp.connections == 0


@pytest.mark.parametrize(
    "changes",
    [{"host": "localhost"}, {"security": pb.SECURITY_NONE}],
    ids=["another host", "in the clear"],
)
async def test_a_kept_password_goes_nowhere_but_where_it_was_given_for(changes: dict[str, Any]) -> None:
    """Else it could be had from a server of one's own."""
    async with asking() as ask:
        ask.fake.mailbox(ask.smtp.port, username="zoe", password="s3cret", security=mailbox_pb.SECURITY_STARTTLS)
        error = await ask.refused(**{"security": pb.SECURITY_STARTTLS, "mailbox_id": str(MAILBOX), **changes})

        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert ask.smtp.connections == 0


async def test_a_workspace_verifies_a_bounded_number_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told when to come back; others are not held up."""
    monkeypatch.setattr(sender_service, "MAX_VERIFICATIONS", 2)
    async with asking() as ask:
        for _ in range(2):
            await ask()
        error = await ask.refused()
        other = await ask(token="stranger")

    assert (error.code(), reason_of(error)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_VERIFICATIONS")
    retry = RetryInfo()
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    assert any(detail.Unpack(retry) for detail in status.details)
    assert 0 < retry.retry_delay.ToTimedelta().total_seconds() <= 60
    assert other.verified


async def test_a_bounded_number_is_tried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs holds its place."""
    monkeypatch.setattr(verifier, "MAX_AT_ONCE", 1)
    async with asking({"EHLO": [Do.WAIT]}) as ask:
        hangs = asyncio.ensure_future(ask())
        while not ask.smtp.verbs:
            await asyncio.sleep(0.01)
        error = await ask.refused(token="stranger")
        ask.smtp.released.set()

        assert reason_of(error) == "TOO_MANY_VERIFICATIONS"
        assert (await hangs).verified


def test_a_quota_is_over_any_stretch_of_time() -> None:
    """Not over fixed windows."""
    quota = Quota(2, 60)
    waits = [quota.take(1, now) for now in (0, 50, 59, 60, 61, 111)]

    assert waits == [0, 0, 1, 0, 49, 0]


# What the person reads, by what a server does.


async def tried(on: Any, trust: ssl.SSLContext) -> Tried:
    return await Verifier(Connector(settings(), trust)).verify(on)


def said(on: Any, result: Tried) -> pb.VerifyMailboxResponse:
    return verify_words.response(on, result)


async def test_encryption_is_told_with_its_version(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    """From the first byte, and by STARTTLS."""
    details = []
    for kind, security in (("tls", Security.TLS), ("starttls", Security.STARTTLS)):
        async with scripted(**{kind: server_tls}, extensions=("AUTH PLAIN", "STARTTLS")) as server:  # type: ignore[arg-type]
            on = transport(server.port, host="localhost", security=security, username="zoe", password="s3cret")
            answer = said(on, await tried(on, client_tls))
            details.append([step.detail for step in answer.steps])

    encrypted = "Encrypted (TLS 1.3, certificate valid for localhost)"
    hello = "The server talks to us"
    assert details == [
        ["Found the server", "Connected", encrypted, hello, "Signed in", "Ready to send"],
        ["Found the server", "Connected", hello, encrypted, "Signed in", "Ready to send"],
    ]


@pytest.mark.parametrize(
    ("name", "trusted", "reason"),
    [
        ("other.example", True, "The certificate is for another name: not for localhost."),
        ("localhost", False, "The certificate is from nobody that we trust."),
    ],
)
async def test_a_certificate_that_does_not_hold_is_told_why(
    ca: trustme.CA, client_tls: ssl.SSLContext, name: str, trusted: bool, reason: str
) -> None:
    """And no other port is suggested, for the port is right."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    async with scripted(tls=context) as server:
        on = transport(server.port, host="localhost", security=Security.TLS)
        answer = said(on, await tried(on, client_tls if trusted else ssl.create_default_context()))

    assert (answer.failed_step, answer.reason, answer.suggested_port) == (pb.STEP_TLS, reason, 0)


async def test_a_password_that_is_refused_is_told_from_a_server_that_is(client_tls: ssl.SSLContext) -> None:
    """The step, and the server's own line."""
    async with scripted({"AUTH": ["535 5.7.8 no"]}, extensions=("AUTH PLAIN",)) as server:
        on = transport(server.port, username="zoe", password="wrong")
        answer = said(on, await tried(on, client_tls))

    assert answer.failed_step == pb.STEP_AUTH
    assert answer.reason == "The server does not accept this name and password. All else is fine."
    assert answer.reply == "535 5.7.8 no"


@pytest.mark.parametrize(
    ("port", "security", "stage", "suggested"),
    [
        (465, Security.TLS, "CONNECT", (587, pb.SECURITY_STARTTLS)),
        (587, Security.STARTTLS, "CONNECT", (465, pb.SECURITY_TLS)),
        (587, Security.TLS, "TLS", (587, pb.SECURITY_STARTTLS)),
        (465, Security.STARTTLS, "TLS", (465, pb.SECURITY_TLS)),
        (25, Security.STARTTLS, "CONNECT", (0, pb.SECURITY_UNSPECIFIED)),
        (465, Security.TLS, "AUTH", (0, pb.SECURITY_UNSPECIFIED)),
    ],
)
def test_the_other_usual_way_in_is_suggested(port: int, security: Security, stage: str, suggested: Any) -> None:
    """Where the failure may come from the port."""
    on = transport(port, host="smtp.gmail.com", security=security)
    answer = said(on, Tried((ConnectStage.RESOLVE,), ConnectStage[stage], "no answer in time"))

    assert (answer.suggested_port, answer.suggested_security) == suggested
