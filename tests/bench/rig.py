"""What is measured: stores, limiter and scheduler as processes of their own, and what they use."""

import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from maillane.scheduler.v1.dispatch_service_pb2_grpc import DispatchServiceStub
from maillane_chassis.channel import open_channel
from maillane_chassis.settings import ServiceSettings
from maillane_local.data_folder import DataFolder
from maillane_local.parts import Ports, Stores, parts, scheduler_env
from maillane_local.ports import free_ports
from maillane_local.postgres import Postgres
from maillane_local.service import Service, run_once
from maillane_local.valkey import Valkey
from pydantic import SecretStr
from redis import Redis

LOGGED: Final = bool(os.environ.get("MAILLANE_BENCH_LOGS"))
MAILBOXES: Final = 4
LOAD_S: Final = 120.0
TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


@dataclass
class Rig:
    """A running system, and a connection to its scheduler."""

    database_url: str
    redis: Redis
    stub: DispatchServiceStub
    pids: dict[str, int]

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Runs SQL beside the scheduler, and commits."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def cpu_s(self) -> dict[str, float]:
        """What each process has used, its children included, and this one."""
        used = {name: sum(map(_cpu_s, _tree(pid))) for name, pid in self.pids.items()}
        return {**used, "sender": time.process_time()}

    async def fill(
        self, each: int, *, hourly: int = 100_000, start: str = "-1 s", every_us: int = 0, mailboxes: int = MAILBOXES
    ) -> None:
        """A started campaign with `each` messages in each mailbox; returns once the queue has them.

        Args:
            every_us: between two messages of a mailbox. Not by the campaign's delay, which counts from one hand-out to
                the next, so that what is late stays late.
        """
        [(workspace,)] = self.sql("SELECT id FROM workspaces LIMIT 1")
        name = secrets.token_hex(4)
        [(campaign,)] = self.sql(
            """WITH c AS (
                 INSERT INTO campaigns (workspace_id, key, name, subject, text, html, delay_us, state,
                   queue_revision)
                 VALUES (%s, %s, 'c', 's', 't', '', 0, 2, 0) RETURNING id
               ) INSERT INTO campaign_counts (campaign_id, slot, pending) SELECT id, 0, %s FROM c
               RETURNING campaign_id""",
            *(workspace, name, each * mailboxes),
        )
        for place in range(mailboxes):
            [(mailbox,)] = self.sql(
                """INSERT INTO mailboxes (workspace_id, address, address_key, display_name, host, port, security,
                   username, hourly_limit, min_gap_us, max_in_flight)
                   VALUES (%s, %s, %s, '', '127.0.0.1', 2525, 3, '', %s, 0, 1000) RETURNING id""",
                *(workspace, f"{name}{place}@example.com", f"{name}{place:08x}", hourly),
            )
            self.sql(
                "INSERT INTO lanes (campaign_id, mailbox_id, position, base, size) VALUES (%s, %s, %s, "
                "now() + %s::interval + %s * interval '10 ms', %s)",
                *(campaign, mailbox, place, start, place, each),
            )
            self.sql(
                """INSERT INTO messages (id, campaign_id, mailbox_id, ordinal, line, email, retry_time,
                     variables)
                   SELECT %s::bigint * 10000000 + %s * 1000000 + n, %s::bigint, %s, n - 1, n,
                          'r' || n || '.' || %s || '@example.com', l.base + n * %s * interval '1 us',
                          '{"name": "Ann", "city": "Rome", "n": "1"}'
                   FROM generate_series(1, %s) n JOIN lanes l ON l.mailbox_id = %s""",
                *(campaign, place, campaign, mailbox, mailbox, every_us, each, mailbox),
            )
            self.sql(
                "INSERT INTO marks (campaign_id, mailbox_id, first_id, last_id, create_time) "
                "VALUES (%s, %s, 0, 9223372036854775807, now() - interval '1 hour')",
                *(campaign, mailbox),
            )
        self.sql("VACUUM ANALYZE messages")
        until = time.monotonic() + LOAD_S
        while self.sql("SELECT 1 FROM marks"):
            if time.monotonic() > until:
                raise TimeoutError("the queue does not load")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def started(tree: Path) -> AsyncIterator[Rig]:
    """The services of a checkout over stores of their own; nothing of it is left behind."""
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
        overrides = {"PYTHONPATH": _path_of(tree)}
        arguments = ("init", "--token-file", str(folder.token_file))
        env = scheduler_env(stores, known, ports, overrides)
        await asyncio.to_thread(run_once, "migration", "maillane_scheduler", *arguments, env=env, timeout_s=60)
        pids = {"postgres": postgres.pid, "valkey": valkey.pid}
        made = parts(stores, known, ports, overrides)
        for name in ("ratelimit", "scheduler"):
            service = Service(made[name], _log)
            await service.start()
            stack.push_async_callback(service.stop)
            pids[name] = service.pid
        settings = ServiceSettings(service_key=SecretStr(known.service_key))
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{ports.scheduler}", settings))
        yield Rig(stores.postgres_url, Redis.from_url(valkey.url), DispatchServiceStub(channel), pids)


def _path_of(tree: Path) -> str:
    members = [tree / "services" / member for member in ("chassis", "scheduler", "ratelimit")]
    return os.pathsep.join(map(str, [*members, tree / "protos" / "python"]))


def steal() -> tuple[int, int]:
    """Ticks that the hypervisor took for others, and all ticks, since the machine started."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return ticks[7], sum(ticks[:8])


def steal_since(before: tuple[int, int]) -> float:
    """In percent."""
    stolen, total = (now - then for now, then in zip(steal(), before, strict=True))
    return 100 * stolen / max(1, total)


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    # Its own, and what its children that have ended used.
    return sum(map(int, fields[11:15])) * TICK_S


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return
    for child in children:
        yield from _tree(int(child))


def _log(name: str, line: str) -> None:
    if LOGGED:
        print(name, line, flush=True)
