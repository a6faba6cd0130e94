"""Real mail servers that keep what they take, as they understood it: aiosmtpd, and Postfix's sink."""

import os
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from maillane_local.ports import LOOPBACK, free_port
from support.programs import listening, postfix_program

MAX_SESSION: Final = 10**9
"""Commands in one session: aiosmtpd's own limit, a protection of servers, is not what is tried here."""
STOP_S: Final = 10

_ARGUMENTS = re.compile(rb"X-(Mail|Rcpt)-Args: <([^>\r\n]*)>")


@dataclass(frozen=True, slots=True)
class Taken:
    """A message as a server took it."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass
class Taker:
    """A server at work: its port, and what it has taken."""

    port: int
    taken: list[Taken] = field(default_factory=list)
    refused_domain: str = ""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if self.refused_domain and address.endswith(f"@{self.refused_domain}"):
            return "550 5.1.1 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken.append(Taken(envelope.mail_from, tuple(envelope.rcpt_tos), bytes(envelope.original_content)))
        return "250 2.0.0 taken"


@asynccontextmanager
async def aiosmtpd(refused_domain: str = "") -> AsyncIterator[Taker]:
    """aiosmtpd, in a thread of its own; it refuses recipients at a domain."""
    taker = Taker(free_port(), refused_domain=refused_domain)
    options: Any = {"command_call_limit": MAX_SESSION, "enable_SMTPUTF8": True}
    controller = Controller(taker, hostname=LOOPBACK, port=taker.port, **options)
    controller.start()
    try:
        yield taker
    finally:
        controller.stop()


@asynccontextmanager
async def postfix_sink(folder: Path) -> AsyncIterator[Taker]:
    """Postfix's smtp-sink, with its own parser of SMTP; what it took is known once this has ended.

    Raises:
        CannotRun: it is not installed, and Debian's package cannot be had.
    """
    taker = Taker(free_port())
    program, environment = postfix_program("smtp-sink")
    dump = folder / "taken"
    dump.mkdir()
    # As root it wants to be somebody else, who must then be able to write here.
    dump.chmod(0o777)
    somebody = ("-u", "nobody") if os.geteuid() == 0 else ()
    process = subprocess.Popen(
        [program, *somebody, "-d", "m.", f"{LOOPBACK}:{taker.port}", "100"],
        cwd=dump, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await listening(taker.port)
        yield taker
    finally:
        process.terminate()
        process.wait(STOP_S)
        taker.taken = list(_dumped(dump))


def _dumped(folder: Path) -> Iterator[Taken]:
    for path in folder.iterdir():
        raw = path.read_bytes()
        head, _, content = raw.partition(b"Received: ")
        # Its own trace header ends where a line begins without a space.
        content = re.split(rb"\r?\n(?![ \t])", content, maxsplit=1)[1]
        given = [(kind, address.decode()) for kind, address in _ARGUMENTS.findall(head)]
        senders = [address for kind, address in given if kind == b"Mail"]
        yield Taken(" ".join(senders), tuple(address for kind, address in given if kind == b"Rcpt"), content)
