"""An SMTP server that attacks its first client at one step, and behaves to all others.

It sends from a thread, a piece at a time, so that however much it sends its own memory stays as it is.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

MIB = 1024 * 1024
PIECE_BYTES = 64 * 1024
DRIP_S = 0.02
"""Between the bytes of a slow-loris."""
NOTICE_S = 10
"""The longest that the server waits for its client to hang up; no claim allows as much."""

STEPS = ("GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "CONTENT", "QUIET")
"""Where an attack can begin: instead of an answer, or (QUIET) after the last one, when nothing is asked."""

USUAL = {
    "GREETING": b"220 hostile ESMTP\r\n",
    "EHLO": b"250-hostile\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n",
    "AUTH": b"235 2.7.0 welcome\r\n",
    "MAIL": b"250 2.1.0 ok\r\n",
    "RCPT": b"250 2.1.5 ok\r\n",
    "DATA": b"354 go ahead\r\n",
    "CONTENT": b"250 2.0.0 queued\r\n",
    "RSET": b"250 2.0.0 reset\r\n",
    "QUIT": b"221 2.0.0 bye\r\n",
}


def _long_line() -> Iterator[bytes]:
    yield b"250 "
    yield from itertools.repeat(b"x" * PIECE_BYTES, 100 * MIB // PIECE_BYTES)
    yield b"\r\n"


def _endless_reply() -> Iterator[bytes]:
    yield from itertools.repeat(b"250-more\r\n" * 1000)


def _short_lines_without_an_end() -> Iterator[bytes]:
    """Each piece ends within a line, so that a reader that looks at line ends only never finds one."""
    yield from itertools.repeat(b"250-" + b"y" * 500 + b"\r\n250-")


def _noise() -> Iterator[bytes]:
    yield bytes(range(256)) * 64 + b"\r\n"


def _nul() -> Iterator[bytes]:
    yield b"\0" * 512 + b"\r\n"


def _three_at_once() -> Iterator[bytes]:
    yield b"250 2.0.0 one\r\n250 2.0.0 two\r\n250 2.0.0 three\r\n250 2.0.0 four\r\n250 2.0.0 five\r\n"


def _yes_for_ever() -> Iterator[bytes]:
    yield from itertools.repeat(b"250 2.0.0 yes\r\n" * 1000)


def _http() -> Iterator[bytes]:
    yield b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


def _another_code_in_the_middle() -> Iterator[bytes]:
    yield b"250-first\r\n550 second\r\n"


def _drip() -> Iterator[bytes]:
    yield from itertools.chain(b"%c" % byte for byte in b"250 2.0.0 " + b"z" * 1500)


@dataclass(frozen=True, slots=True)
class Attack:
    """What is sent in place of an answer. Slow ones pause after each piece."""

    name: str
    pieces: Callable[[], Iterator[bytes]]
    slow: bool = False


ATTACKS = [
    Attack("a line of 100 MB", _long_line),
    Attack("endless 250-", _endless_reply),
    Attack("endless 250-, cut within lines", _short_lines_without_an_end),
    Attack("noise", _noise),
    Attack("NULs", _nul),
    Attack("five answers to one command", _three_at_once),
    Attack("answers without end", _yes_for_ever),
    Attack("HTTP", _http),
    Attack("two codes in one reply", _another_code_in_the_middle),
]
SLOW_LORIS = Attack("a byte now and then", _drip, slow=True)


@dataclass
class Hostile:
    """The server. `ended_s` is how long its client bore the attack; None while it still does, or was never attacked."""

    step: str
    attack: Attack
    port: int = 0
    connections: int = 0
    ended_s: float | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    messages: list[bytes] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)

    def converse(self, connection: socket.socket, *, attacks: bool) -> None:
        """Serves one client."""
        lines = connection.makefile("rb")
        if self._answer(connection, "GREETING", attacks=attacks):
            return
        while line := lines.readline():
            verb = line.split()[0].upper().decode("ascii", "replace")
            if self._answer(connection, verb, attacks=attacks) or verb == "QUIT":
                return
            if verb == "DATA":
                content = b"".join(iter(lines.readline, b".\r\n"))
                self.messages.append(content)
                if self._answer(connection, "CONTENT", attacks=attacks):
                    return
                if self.step == "QUIET" and attacks:
                    self._attack(connection)
                    return

    def _answer(self, connection: socket.socket, step: str, *, attacks: bool) -> bool:
        """Answers as usual, or attacks: then the conversation is over."""
        if attacks and step == self.step:
            self._attack(connection)
            return True
        connection.sendall(USUAL.get(step, b"500 5.5.1 what?\r\n"))
        return False

    def _attack(self, connection: socket.socket) -> None:
        start = time.perf_counter()
        connection.settimeout(NOTICE_S)
        with contextlib.suppress(OSError):
            for piece in self.attack.pieces():
                connection.sendall(piece)
                if self.attack.slow:
                    time.sleep(DRIP_S)
            while connection.recv(PIECE_BYTES):
                pass
        self.ended_s = time.perf_counter() - start
        self.ended.set()


@contextlib.contextmanager
def hostile(step: str, attack: Attack) -> Iterator[Hostile]:
    """Runs such a server on a port of its own."""
    server = Hostile(step, attack)
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    threads = [threading.Thread(target=_accept, args=(server, listener), daemon=True)]
    threads[0].start()
    try:
        yield server
    finally:
        # A thread that waits in accept is not woken by closing its socket; a connection wakes it.
        listener.setblocking(False)
        for connection in server.sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        listener.shutdown(socket.SHUT_RDWR)
        threads[0].join(NOTICE_S)
        listener.close()


def _accept(server: Hostile, listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            server.sockets.append(connection)
            server.connections += 1
            first = server.connections == 1
            threading.Thread(target=_serve, args=(server, connection, first), daemon=True).start()


def _serve(server: Hostile, connection: socket.socket, attacks: bool) -> None:
    with connection, contextlib.suppress(OSError):
        server.converse(connection, attacks=attacks)
