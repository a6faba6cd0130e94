"""Cancelled at any point: no answer is ever taken for another message's."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from maillane_sender.smtp import ConnectFailed, Connector, Envelope, Pool, Verdict

from .scripted import settings, transport

MESSAGES = 1000
CONNECTIONS = 3
LONGEST_MS = 8
"""About how long a message takes here with the others around it: cancellations fall all over it, and past it."""

_NUMBER = re.compile(rb"<n(\d+)@")


@dataclass
class Naming:
    """A server that names the message in each of its answers, refuses every seventh recipient, and takes its time."""

    chance: random.Random
    port: int = 0
    taken: Counter[int] = field(default_factory=Counter)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        number = refused = 0
        writer.write(b"220 naming\r\n")
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                verb = line[:4].upper()
                if found := _NUMBER.search(line):
                    number = int(found[1])
                refused = number if verb == b"RCPT" and number % 7 == 0 else refused * (verb != b"MAIL")
                await self._answer(writer, _words(verb, number, refused=bool(refused)))
                if verb == b"DATA" and not refused:
                    content = await reader.readuntil(b"\r\n.\r\n")
                    assert f"Subject: {number}\r\n".encode() in content
                    self.taken[number] += 1
                    await self._answer(writer, f"250 2.0.0 took {number}")
        writer.transport.abort()

    async def _answer(self, writer: asyncio.StreamWriter, answer: str) -> None:
        """Sometimes at once, sometimes late, sometimes in two pieces."""
        raw = answer.encode() + b"\r\n"
        cut = self.chance.choice([0, 0, self.chance.randrange(len(raw))])
        writer.write(raw[:cut])
        if self.chance.random() < 0.3:
            await asyncio.sleep(self.chance.random() / 1000)
        writer.write(raw[cut:])
        await writer.drain()


def _words(verb: bytes, number: int, *, refused: bool) -> str:
    if verb == b"EHLO":
        return "250-naming\r\n250 PIPELINING"
    if verb == b"RCPT" and refused:
        return f"550 5.1.1 nobody at {number}"
    if verb == b"DATA":
        return f"554 5.5.1 no recipient for {number}" if refused else f"354 go on with {number}"
    return f"250 2.1.0 fine with {number}"


@contextlib.asynccontextmanager
async def naming(seed: int) -> AsyncIterator[Naming]:
    server = Naming(random.Random(seed))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)


async def send(pool: Pool, port: int, number: int, begun: set[int]) -> Verdict:
    envelope = Envelope(f"n{number}@acme.example", f"n{number}@example.net")
    content = f"Subject: {number}\r\n\r\n{'x' * 70}\r\n".encode()
    on = transport(port, max_connections=CONNECTIONS)
    return await pool.send(on, envelope, content, lambda: begun.add(number))


async def cancelled_at(chance: random.Random, work: asyncio.Task[Verdict]) -> Verdict | None:
    """Lets it run for a random while, counted in time or in turns of the loop; its verdict, where it came to one."""
    if chance.random() < 0.5:
        await asyncio.wait([work], timeout=chance.random() * LONGEST_MS / 1000)
    else:
        for _ in range(chance.randrange(60)):
            await asyncio.sleep(0)
    work.cancel()
    try:
        return await work
    except (asyncio.CancelledError, ConnectFailed):
        return None


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_answer_is_taken_for_another_message(seed: int) -> None:
    """A thousand messages, cancelled at random: each verdict names its own, and none was taken that is not accounted
    for: a message that never began its content was never taken."""
    chance = random.Random(seed)
    begun: set[int] = set()
    verdicts: dict[int, Verdict] = {}
    numbers = iter(range(1, MESSAGES + 1))

    async def worker(port: int, pool: Pool) -> None:
        for number in numbers:
            verdict = await cancelled_at(chance, asyncio.create_task(send(pool, port, number, begun)))
            if verdict is not None:
                verdicts[number] = verdict

    async with naming(seed) as server:
        pool = Pool(Connector(settings(), ssl.create_default_context()))
        await asyncio.gather(*(worker(server.port, pool) for _ in range(CONNECTIONS)))
        await pool.close()

    wrong = {number: verdict for number, verdict in verdicts.items() if not verdict.text.endswith(f" {number}")}
    accepted = {number for number, verdict in verdicts.items() if verdict.accepted}
    assert not wrong
    assert len(verdicts) > MESSAGES // 10
    assert len(verdicts) < MESSAGES * 9 // 10
    assert accepted <= set(server.taken) <= begun
    assert max(server.taken.values()) == 1
