"""The whole system on this machine, as one thing that starts and stops."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

from maillane_local import leftovers
from maillane_local.data_folder import DataFolder, Secrets
from maillane_local.errors import LocalError
from maillane_local.logs import log_files
from maillane_local.parts import START_ORDER, STOP_ORDER, Ports, Stores, parts, scheduler_env
from maillane_local.ports import LOOPBACK, free_ports, is_free
from maillane_local.postgres import Postgres
from maillane_local.service import LineSink, Service, run_once
from maillane_local.settings import LocalSettings
from maillane_local.valkey import Valkey

DATABASE: Final = "maillane"

STORES: Final = ("postgres", "valkey")

URLS: Final = "urls"
"""Under this name the data folder remembers where the system is, while it is up."""

_Known = TypeVar("_Known")

PREPARE_S: Final = 300.0
"""How long migrations and making the first workspace may take: an index on millions of rows takes minutes."""


class Server(Protocol):
    """What can be started again after it ended: Postgres, Valkey, and our own processes."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""

    async def start(self) -> None:
        """Starts it and returns once it is ready."""

    async def stop(self) -> None:
        """Stops it in order, within a bounded time."""

    async def kill(self) -> None:
        """Ends it at once, as a crash would."""


class System:
    """Stores, services and catcher on one data folder, from `async with` on until its end.

    Nothing is restarted by itself: `kill` leaves the part dead until `restart`, and `dead` tells which parts are.
    """

    def __init__(
        self,
        data: Path,
        overrides: Mapping[str, str] | None = None,
        *,
        settings: LocalSettings | None = None,
        sink: LineSink | None = None,
    ) -> None:
        """Describes a system; entering it starts it.

        Args:
            data: the data folder. A second system on the same folder goes on where the first stopped.
            overrides: environment variables for all services, stronger than everything else.
            settings: ports and stores; free ports and embedded stores if absent.
            sink: takes the lines of all logs; if absent they go to log/<name>.log in the data folder.
        """
        self.folder = DataFolder(data)
        self._overrides = dict(overrides or {})
        self._settings = settings or LocalSettings.on_free_ports(data)
        self._sink = sink or log_files(self.folder.path / "log")
        self._servers: dict[str, Server] = {}
        self._ports: Ports | None = None
        self._stores: Stores | None = None

    async def __aenter__(self) -> Self:
        """Starts everything and returns once all of it is ready.

        Raises:
            LocalError: something cannot start; what had started is stopped again.
        """
        self.folder.open()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops everything, in order."""
        await self.stop()

    @property
    def urls(self) -> dict[str, str]:
        """Where everything is: gateway and catcher as URLs, services as host:port, mail as host:port."""
        ports = _known(self._ports)
        return {
            "gateway": f"http://{LOOPBACK}:{ports.gateway}",
            "catcher": f"http://{LOOPBACK}:{ports.catcher_web}",
            "smtp": f"{LOOPBACK}:{ports.catcher_smtp}",
            "scheduler": f"{LOOPBACK}:{ports.scheduler}",
            "ratelimit": f"{LOOPBACK}:{ports.ratelimit}",
            "sender": f"{LOOPBACK}:{ports.sender}",
        }

    @property
    def metrics_urls(self) -> dict[str, str]:
        """Where each service shows its metrics."""
        ports = _known(self._ports)
        return {
            name: f"http://{LOOPBACK}:{getattr(ports, f'{name}_metrics')}/metrics"
            for name in ("scheduler", "ratelimit", "sender", "gateway")
        }

    @property
    def postgres_url(self) -> str:
        """The database, for who wants to look behind the services."""
        return _known(self._stores).postgres_url

    @property
    def redis_url(self) -> str:
        """The Valkey or Redis server, likewise."""
        return _known(self._stores).redis_url

    @property
    def token(self) -> str:
        """The first API token: an admin's of the workspace "default"."""
        return self.folder.token_file.read_text().strip()

    @property
    def secrets(self) -> Secrets:
        """The deployment's own secrets, the services' key among them."""
        return self.folder.secrets()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of all parts that were started."""
        return {name: server.pid for name, server in self._servers.items()}

    def dead(self) -> dict[str, int]:
        """The parts that have ended, with their exit codes (minus the signal's number, if a signal did it)."""
        codes = {name: server.exit_code() for name, server in self._servers.items()}
        return {name: code for name, code in codes.items() if code is not None}

    async def kill(self, name: str) -> None:
        """Ends one part at once, as a crash would (SIGKILL)."""
        await self._servers[name].kill()

    async def stop_part(self, name: str) -> None:
        """Stops one part in order (SIGTERM, then SIGKILL after its grace)."""
        await self._servers[name].stop()

    async def restart(self, name: str) -> None:
        """Starts a part again, stopping it first if it runs, and returns once it is ready.

        Raises:
            LocalError: it does not start.
        """
        server = self._servers[name]
        if server.exit_code() is None:
            await server.stop()
        await server.start()
        self._note_processes()

    async def stop(self) -> None:
        """Stops everything, in order, each part within its own bounded time. Repeating it is no error."""
        for name in STOP_ORDER:
            if server := self._servers.get(name):
                with suppress(TimeoutError):
                    await server.stop()
        self._servers.clear()
        if self.folder.is_open:
            self.folder.forget(URLS)
            self.folder.close()

    async def _start(self) -> None:
        if left := await leftovers.end(self.folder):
            self._sink("maillane", f"ended what an earlier run had left: {', '.join(left)}")
        self.folder.forget(URLS)
        self._ports, of_stores = _allot(self._settings, self.folder.remembered("ports"))
        self.folder.remember("ports", of_stores)
        secrets = self.folder.secrets()
        self._stores = await self._start_stores(of_stores, secrets)
        await self._prepare(scheduler_env(self._stores, secrets, self._ports, self._overrides))
        services = parts(self._stores, secrets, self._ports, self._overrides)
        started = {name: Service(services[name], self._sink) for name in START_ORDER}
        for name, service in started.items():
            service.spawn()
            self._servers[name] = service
        self._note_processes()
        # All start at once, but they are looked at in the order in which they need each other: who waits for another
        # would only answer "not yet", and log it, again and again.
        for service in started.values():
            await service.ready()
        self.folder.remember(URLS, self.urls)

    async def _start_stores(self, ports: Mapping[str, int], secrets: Secrets) -> Stores:
        redis, postgres = self._settings.redis_url, self._settings.postgres_url
        stores = Stores(
            redis_url=redis.get_secret_value() if redis else await self._start_valkey(ports, secrets),
            postgres_url=postgres.get_secret_value() if postgres else await self._start_postgres(ports, secrets),
        )
        self._note_processes()
        return stores

    async def _start_valkey(self, ports: Mapping[str, int], secrets: Secrets) -> str:
        valkey = Valkey(self.folder.path / "valkey", port=ports["valkey"], password=secrets.valkey_password)
        await valkey.start()
        self._servers["valkey"] = valkey
        return valkey.url

    async def _start_postgres(self, ports: Mapping[str, int], secrets: Secrets) -> str:
        postgres = Postgres(self.folder.path / "postgres", port=ports["postgres"], password=secrets.postgres_password)
        await postgres.start()
        self._servers["postgres"] = postgres
        await postgres.ensure_database(DATABASE)
        return postgres.url(DATABASE)

    async def _prepare(self, env: Mapping[str, str]) -> None:
        """Migrates the database, and makes the first workspace and its token unless they are there."""
        name = "the migration of Postgres"
        arguments = ("init", "--token-file", str(self.folder.token_file))
        await asyncio.to_thread(run_once, name, "maillane_scheduler", *arguments, env=env, timeout_s=PREPARE_S)

    def _note_processes(self) -> None:
        leftovers.note(self.folder, self.pids)


def _known(value: _Known | None) -> _Known:
    if value is None:
        raise LocalError("the system was not started")
    return value


def _allot(settings: LocalSettings, remembered: Mapping[str, object]) -> tuple[Ports, dict[str, int]]:
    """The services' ports as they are set, free ones where the setting is 0; and those of the embedded stores.

    A store has the one of last time, if it is free: who has noted its URL finds it there again. All are chosen at once,
    for what is chosen and not listened on yet still looks free.

    Raises:
        LocalError: one that is set is in use; the error names each, with its setting.
    """
    wanted = settings.ports()
    if taken := [name for name, port in wanted.items() if port and not is_free(port)]:
        listed = ", ".join(f"{wanted[name]} (MAILLANE_{name.upper()}_PORT)" for name in taken)
        raise LocalError(f"in use by another program: port {listed}; end that program, or set another port")
    again = {name: port for name in STORES if isinstance(port := remembered.get(name), int) and is_free(port)}
    known = {*wanted.values(), *again.values()}
    free = iter([port for port in free_ports(len(wanted) + len(STORES) + len(known)) if port not in known])
    ports = Ports(**{name: port or next(free) for name, port in wanted.items()})
    return ports, {name: again.get(name) or next(free) for name in STORES}
