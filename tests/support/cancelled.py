"""Messages that are cancelled at random, at a server that names the message in each of its answers."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from maillane_chassis.reach import LOOPBACK
from maillane_sender.smtp import (
    ConnectFailed,
    Connector,
    ConnectSettings,
    Envelope,
    Guard,
    Pool,
    Security,
    Transport,
    Verdict,
)

CONNECTIONS = 3
FIRST_MS = 16.0
"""The longest wait before a cancellation, to begin with."""

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
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
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
    return await pool.send(_mailbox(port), envelope, content, lambda: begun.add(number))


@dataclass
class Patience:
    """How long to wait at most before a cancellation, so that on any machine about half of what is waited for ends by
    itself: cancellations fall all over a message's way, and past it."""

    ms: float = FIRST_MS

    def tell(self, *, ended: bool) -> None:
        """What became of one that was waited for."""
        self.ms *= 0.97 if ended else 1.03


async def cancelled_at(chance: random.Random, work: asyncio.Task[Verdict], patience: Patience) -> Verdict | None:
    """Lets it run for a random while, counted in time or in turns of the loop; its verdict, where it came to one."""
    if chance.random() < 0.5:
        await asyncio.wait([work], timeout=chance.random() * patience.ms / 1000)
        patience.tell(ended=work.done())
    else:
        for _ in range(chance.randrange(60)):
            await asyncio.sleep(0)
    work.cancel()
    try:
        return await work
    except (asyncio.CancelledError, ConnectFailed):
        return None


@dataclass
class Cancelled:
    """What came of it: the verdicts of those that had one, those whose content began, and how often each was taken."""

    verdicts: dict[int, Verdict] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    taken: Counter[int] = field(default_factory=Counter)

    @property
    def mistaken(self) -> dict[int, str]:
        """Verdicts that are another message's, or none of the server's."""
        texts = {number: verdict.text for number, verdict in self.verdicts.items()}
        return {number: text for number, text in texts.items() if not text.endswith(f" {number}")}

    @property
    def accepted(self) -> set[int]:
        """Messages that were found to be accepted."""
        return {number for number, verdict in self.verdicts.items() if verdict.accepted}


async def cancel_at_random(seed: int, messages: int) -> Cancelled:
    """Sends messages over a few connections and cancels each at a random point, past its end for some."""
    chance = random.Random(seed)
    found = Cancelled()
    numbers = iter(range(1, messages + 1))
    patience = Patience()

    async def work(port: int, pool: Pool) -> None:
        for number in numbers:
            verdict = await cancelled_at(chance, asyncio.create_task(send(pool, port, number, found.begun)), patience)
            if verdict is not None:
                found.verdicts[number] = verdict

    guard = Guard(allowed=LOOPBACK, extra_ports=frozenset(range(1024, 65536)))
    async with naming(seed) as server:
        pool = Pool(Connector(ConnectSettings(guard=guard), ssl.create_default_context()))
        # Twice as many as connections, so that envelopes ride behind contents.
        await asyncio.gather(*(work(server.port, pool) for _ in range(2 * CONNECTIONS)))
        await pool.close()
    found.taken = server.taken
    return found


def _mailbox(port: int) -> Transport:
    return Transport("127.0.0.1", port, Security.NONE, "", "", mailbox_id="1", revision=1, max_connections=CONNECTIONS)
