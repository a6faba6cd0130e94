"""What is measured: stores, limiter and scheduler as processes of their own, and what they use."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psycopg
from maillane.client import Client, connect
from maillane.scheduler.v1.dispatch_service_pb2_grpc import DispatchServiceStub
from maillane_chassis.channel import open_channel
from maillane_chassis.settings import ServiceSettings
from maillane_local.data_folder import DataFolder
from maillane_local.health import grpc_health
from maillane_local.parts import Ports, Stores, parts, scheduler_env
from maillane_local.ports import free_port, free_ports
from maillane_local.postgres import Postgres
from maillane_local.service import Part, Service, run_once
from maillane_local.valkey import Valkey
from pydantic import SecretStr
from redis import Redis

from .load import Template, fill
from .processes import cpu_s

HERE: Final = Path(__file__).resolve().parents[2]
LOGGED: Final = bool(os.environ.get("MAILLANE_BENCH_LOGS"))
MAILBOXES: Final = 4
LOAD_S: Final = 120.0


@dataclass
class Rig:
    """A running system, and connections to its scheduler: as a sender, and as a tenant."""

    database_url: str
    redis: Redis
    stub: DispatchServiceStub
    pids: dict[str, int]
    client: Client
    scheduler: Service

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Runs SQL beside the scheduler, and commits."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def cpu_s(self) -> dict[str, float]:
        """What each process has used, its children included; where no sender runs, this one plays it."""
        used = {name: cpu_s(pid) for name, pid in self.pids.items()}
        return used if "sender" in used else {**used, "sender": time.process_time()}

    async def fill(
        self,
        each: int,
        *,
        hourly: int = 100_000,
        start: str = "-1 s",
        every_us: int = 0,
        mailboxes: int = MAILBOXES,
        port: int = 2525,
        template: Template | None = None,
        wait_s: float = LOAD_S,
    ) -> int:
        """A started campaign with `each` messages in each mailbox; returns its id once the queue has them.

        Args:
            hourly: the limit of each mailbox.
            start: its first due time, as an interval from now.
            every_us: between two messages of a mailbox. Not by the campaign's delay, which counts from one hand-out to
                the next, so that what is late stays late.
            port: of the mailboxes' server, on loopback.

        Raises:
            TimeoutError: the queue does not load.
        """
        template = template or Template()
        campaign = fill(self.sql, each, hourly, start, every_us, mailboxes, port, template)
        await self.loaded(wait_s)
        return campaign

    async def loaded(self, within_s: float = LOAD_S) -> None:
        """Waits until the queue was told of all that it should hold.

        Raises:
            TimeoutError: it takes longer.
        """
        until = time.monotonic() + within_s
        while self.sql("SELECT 1 FROM marks LIMIT 1"):
            if time.monotonic() > until:
                raise TimeoutError("the queue does not load")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def started(
    tree: Path | None = None, *, senders: int = 0, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Rig]:
    """The services of a checkout over stores of their own; nothing of it is left behind.

    Args:
        tree: the checkout; None: this one.
        senders: real ones; 0: this process plays one.
        settings: environment variables for all services.
    """
    async with AsyncExitStack() as stack:
        folder = DataFolder(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maillane-bench-"))))
        folder.open()
        stack.callback(folder.close)
        known = folder.secrets()
        valkey = Valkey(folder.path / "valkey", password=known.valkey_password)
        postgres = Postgres(folder.path / "postgres", password=known.postgres_password)
        for store in (valkey, postgres):
            await store.start()
            stack.push_async_callback(store.stop)
        await postgres.ensure_database("bench")
        stores = Stores(redis_url=valkey.url, postgres_url=postgres.url("bench"))
        ports = Ports(*free_ports(len(Ports.__dataclass_fields__)))
        overrides = {"PYTHONPATH": _path_of(tree or HERE), **(settings or {})}
        arguments = ("init", "--token-file", str(folder.token_file))
        env = scheduler_env(stores, known, ports, overrides)
        await asyncio.to_thread(run_once, "migration", "maillane_scheduler", *arguments, env=env, timeout_s=60)
        pids = {"postgres": postgres.pid, "valkey": valkey.pid}
        made = parts(stores, known, ports, overrides)
        running = {name: Service(made[name], _log) for name in ("ratelimit", "scheduler")}
        running |= {_sender_name(n): Service(_sender(made["sender"], n), _log) for n in range(senders)}
        for name, service in running.items():
            await service.start()
            stack.push_async_callback(service.stop)
            pids[name] = service.pid
        key = ServiceSettings(service_key=SecretStr(known.service_key))
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{ports.scheduler}", key))
        token = folder.token_file.read_text().strip()
        client = await stack.enter_async_context(connect(f"127.0.0.1:{ports.scheduler}", token))
        redis = stack.enter_context(Redis.from_url(valkey.url))
        yield Rig(stores.postgres_url, redis, DispatchServiceStub(channel), pids, client, running["scheduler"])


def _sender_name(number: int) -> str:
    return f"sender{number + 1}" if number else "sender"


def _sender(part: Part, number: int) -> Part:
    """One of several on this machine: with a name and a port of its own."""
    name, port = _sender_name(number), free_port()
    env = {**part.env, "MAILLANE_SENDER_PORT": str(port), "MAILLANE_SENDER_ID": name, "MAILLANE_METRICS_PORT": "0"}
    return replace(part, name=name, port=port, env=env, ready=grpc_health(port, None))


def _path_of(tree: Path) -> str:
    members = [
        tree / "services" / member for member in ("chassis", "redis_cluster", "scheduler", "ratelimit", "sender")
    ]
    return os.pathsep.join(map(str, [*members, tree / "protos" / "python"]))


def _log(name: str, line: str) -> None:
    if LOGGED:
        print(name, line, flush=True)
