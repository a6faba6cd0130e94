"""Servers that attack: the connection ends, memory stays, and the next message is as if nothing had been."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from maillane_sender.dispatch.holding import Held, Lease
from maillane_sender.dispatch.report import Report
from maillane_sender.smtp import (
    ConnectFailed,
    Connector,
    Envelope,
    Kind,
    Outcome,
    Pool,
    Timeouts,
    Transport,
    classify,
    classify_connect,
)
from support.hostile import ATTACKS, MIB, SLOW_LORIS, STEPS, Attack, Hostile, hostile

from .fake_scheduler import message
from .scripted import PATIENT, scripted, settings, transport

ENVELOPE = Envelope("news@acme.example", "zoe@example.net")
LOGIN = {"username": "zoe", "password": "s3cret"}
CONTENT = b"Subject: Hi\r\n\r\nHello\r\n"

ENDED_WITHIN_S = 1.0
MORE_MEMORY = 5 * MIB
SLOW = Timeouts(connect_s=0.5, envelope_s=0.5, content_s=0.5, quit_s=0.1)


NOISE = [b"\0\x1b[2J", b"\xff\xfe", b"\xc3\x28\xed\xa0\x80", "\u202e\u2028".encode(), b"\x85" * 800]
TLS = ssl.create_default_context()


@contextlib.asynccontextmanager
async def pooled(timeouts: Timeouts = PATIENT) -> AsyncIterator[Pool]:
    pool = Pool(Connector(settings(timeouts), TLS))
    try:
        yield pool
    finally:
        await pool.close()


async def deliver(pool: Pool, on: Transport) -> tuple[Outcome, int, str]:
    """Sends one message: what its end means, with the code and the words for the scheduler."""
    try:
        verdict = await pool.send(on, ENVELOPE, CONTENT, lambda: None)
    except ConnectFailed as failure:
        return classify_connect(failure), failure.code or 0, str(failure)
    return classify(verdict), verdict.code, verdict.line


def mailbox(server: Hostile) -> Transport:
    return transport(server.port, **LOGIN)


def peak_bytes() -> int:
    """The most memory that this process held since `forget_peak`."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def ended(server: Hostile) -> float:
    assert server.ended.wait(10)
    assert server.ended_s is not None
    return server.ended_s


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_an_attack_ends_its_connection(attack: Attack, step: str) -> None:
    """The connection ends within a second, in little memory, and the next message has a good one."""
    with hostile(step, attack) as server:
        async with pooled() as pool:
            forget_peak()
            before = peak_bytes()
            first, *_ = await deliver(pool, mailbox(server))
            borne_s = await asyncio.to_thread(ended, server)
            more = peak_bytes() - before
            after, *_ = await deliver(pool, mailbox(server))

    assert borne_s <= ENDED_WITHIN_S
    assert more <= MORE_MEMORY
    assert after.kind is Kind.SENT
    assert server.messages == [CONTENT] * (1 + (step in ("CONTENT", "QUIET") or first.kind is Kind.SENT))


@pytest.mark.parametrize("step", [step for step in STEPS if step != "QUIET"])
async def test_a_slow_loris_meets_the_deadline(step: str) -> None:
    """A byte now and then starts no deadline anew."""
    with hostile(step, SLOW_LORIS) as server:
        async with pooled(SLOW) as pool:
            start = time.perf_counter()
            await deliver(pool, mailbox(server))
            borne_s = time.perf_counter() - start

    assert borne_s <= 2 * SLOW.connect_s + ENDED_WITHIN_S


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize("noise", NOISE)
async def test_a_refusal_with_noise_can_be_told(step: str, noise: bytes) -> None:
    """Whatever bytes a server puts into a refusal, its code and some words of it reach the scheduler."""
    script = {step: [b"554 5.0.0 no" + noise + b"\r\n"]}
    async with scripted(script, extensions=["AUTH PLAIN"]) as server, pooled() as pool:
        outcome, code, words = await deliver(pool, transport(server.port, **LOGIN))
    settle = Report.of(outcome, code, words).settle(Held(message(1), Lease(1, 0, 0, 1)))

    assert settle.code == 554
    assert settle.reply.isprintable()
