"""Schedulers' parts over real stores and a real limiter, without the public API: rows are written as it writes them."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from maillane.ratelimit.v1 import rate_limit_service_pb2 as limiter_pb
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import add_RateLimitServiceServicer_to_server
from maillane_chassis.server import Registration, Server
from maillane_chassis.settings import ServiceSettings
from maillane_ratelimit.api.rate_limit import RateLimit
from maillane_ratelimit.counters.connection import open_client, translate
from maillane_ratelimit.counters.counters import Counters, redis_time
from maillane_ratelimit.limiter import Limiter
from maillane_scheduler.dispatch.dispatcher import HandOut
from maillane_scheduler.handover import Ask, Finished, Release, Report
from maillane_scheduler.scheduler import Scheduler
from maillane_scheduler.settings import Settings
from maillane_scheduler.states import MessageState
from maillane_scheduler.store import senders
from pydantic import SecretStr

SERVICE_KEY = "k" * 32
INCARNATION = "i1"


@asynccontextmanager
async def limiter_at(redis_url: str, now_us: Callable[[], int] = redis_time) -> AsyncIterator[str]:
    """The ratelimit service over a real Redis, on a port of its own; yields its target. `now_us` is another clock."""
    client = open_client(redis_url)
    servicer = RateLimit(Limiter(Counters(client, now_us=now_us)))
    service = limiter_pb.DESCRIPTOR.services_by_name["RateLimitService"]
    registration = Registration(service, add_RateLimitServiceServicer_to_server, servicer)
    server = Server(ServiceSettings(service_key=SecretStr(SERVICE_KEY)), 0, [registration], translate=translate)
    await server.start()
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        await server.stop(0)
        await client.aclose()


def settings(database_url: str, redis_url: str, target: str, **more: object) -> Settings:
    """A scheduler's settings for tests: any port, short waits."""
    values: dict[str, object] = {
        "service_key": SERVICE_KEY,
        "scheduler_port": 0,
        "ratelimit_target": target,
        "postgres_url": database_url,
        "redis_url": redis_url,
        "secret_key": base64.b64encode(b"s" * 32).decode(),
        "retry_first_s": 0.05,
        "backoff_first_s": 0.2,
        **more,
    }
    return Settings.model_validate(values)


@dataclass
class World:
    """One tenant, and the scheduler's parts. Times of leases and retries are short."""

    scheduler: Scheduler
    database_url: str
    workspace: int = 0
    addresses: dict[int, str] = field(default_factory=dict)

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Runs SQL beside the scheduler, and commits."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def mailbox(self, *, hourly: int = 100_000, daily: int | None = None, gap_us: int = 0, cap: int = 1000) -> int:
        """A mailbox of the tenant, active."""
        number = len(self.addresses) + 1
        [(mailbox,)] = self.sql(
            """INSERT INTO mailboxes (workspace_id, address, address_key, display_name, host, port, security, username,
               hourly_limit, daily_limit, min_gap_us, max_in_flight)
               VALUES (%s, %s, %s, '', '127.0.0.1', 2525, 3, '', %s, %s, %s, %s) RETURNING id""",
            self.workspace,
            f"m{number}@example.com",
            f"{number:016x}",
            hourly,
            daily,
            gap_us,
            cap,
        )
        self.addresses[mailbox] = f"m{number}@example.com"
        return int(mailbox)

    def campaign(
        self, lanes: Sequence[int], each: int, *, delay_us: int = 0, hourly: int | None = None, start: str = "-1 s"
    ) -> int:
        """A started campaign with `each` messages in each of its mailboxes, due from `start` on (from now)."""
        [(campaign,)] = self.sql(
            """INSERT INTO campaigns (workspace_id, key, name, subject, text, html, delay_us, hourly_limit, state,
               queue_revision) VALUES (%s, 'k', 'c', 's', 't', '', %s, %s, 2, 0) RETURNING id""",
            self.workspace,
            delay_us,
            hourly,
        )
        for place, mailbox in enumerate(lanes):
            self.sql(
                "INSERT INTO lanes (campaign_id, mailbox_id, position, base, size) "
                "VALUES (%s, %s, %s, now() + %s::interval, %s)",
                campaign,
                mailbox,
                place,
                start,
                each,
            )
            self.sql(
                """INSERT INTO messages (id, campaign_id, mailbox_id, ordinal, line, email, variables)
                   SELECT %s::bigint * 1000000 + %s * 100000 + n, %s::bigint, %s, n - 1, n,
                          'r' || n || '.' || %s || '@example.com', '{}' FROM generate_series(1, %s) n""",
                campaign,
                place,
                campaign,
                mailbox,
                mailbox,
                each,
            )
            self.sql(
                "INSERT INTO marks (campaign_id, mailbox_id, first_id, last_id, create_time) "
                "VALUES (%s, %s, 0, 9223372036854775807, now() - interval '1 hour')",
                campaign,
                mailbox,
            )
        self.sql(
            "INSERT INTO campaign_counts (campaign_id, slot, pending) VALUES (%s, 0, %s)", campaign, each * len(lanes)
        )
        return int(campaign)

    async def claim(
        self,
        slots: int,
        *,
        claim_id: int | None = None,
        wait_s: float = 0,
        finished: Sequence[Finished] = (),
        sender: str = "s1",
        incarnation: str = INCARNATION,
    ) -> HandOut:
        """A sender's claim."""
        assert await senders.meet(self.scheduler.pool, sender, incarnation)
        ask = Ask(sender, incarnation, claim_id or secrets.randbits(62) + 1, slots, wait_s)
        return await self.scheduler.dispatcher.claim(ask, finished)

    async def settle(self, hand_out: HandOut, state: MessageState = MessageState.SENT) -> int:
        """Settles a whole hand-out alike."""
        finished = [Finished(row.message, hand_out.token, state, 250, "ok") for row in hand_out.rows]
        return await self.scheduler.settler.finish(finished)

    async def give_back(self, hand_out: HandOut, *, spent: bool, strained: str = "", permit_spent: bool = False) -> int:
        """Releases a whole hand-out alike."""
        released = [
            Release(row.message, hand_out.token, spent, 451 if spent else 0, "later", permit_spent=permit_spent)
            for row in hand_out.rows
        ]
        strains = {(row.message, hand_out.token): strained for row in hand_out.rows} if strained else {}
        return await self.scheduler.settler.release(Report([], released, strains))

    async def sweep(self) -> None:
        """One round of the sweep, which must get its turn."""
        while not await self.scheduler.sweeper.sweep():
            await asyncio.sleep(0)

    async def somebody_waits(self, lock: str = "%") -> None:
        """Until a transaction waits for a lock of another, of such a type (`pg_locks.locktype`, as LIKE has it).

        Raises:
            TimeoutError: nobody does.
        """
        async with asyncio.timeout(10):
            while not self.sql("SELECT 1 FROM pg_locks WHERE locktype LIKE %s AND NOT granted", lock):
                await asyncio.sleep(0.01)

    def states(self) -> dict[str, int]:
        """Messages by state."""
        rows = self.sql("SELECT state, count(*) FROM messages GROUP BY 1")
        return {MessageState(state).name: count for state, count in rows}

    def counts(self, campaign: int) -> dict[str, int]:
        """A campaign's counts, as they are kept; those of zero left out."""
        names = ("pending", "sending", "sent", "failed", "unconfirmed", "suppressed", "cancelled")
        sums = ", ".join(f"sum({name})" for name in names)
        [row] = self.sql(f"SELECT {sums} FROM campaign_counts WHERE campaign_id = %s", campaign)
        return {name.upper(): count for name, count in zip(names, row, strict=True) if count}


@asynccontextmanager
async def world(database_url: str, redis_url: str, target: str, **more: object) -> AsyncIterator[World]:
    """A tenant in an empty database, and a scheduler's parts over it, with nothing running by itself."""
    async with Scheduler(settings(database_url, redis_url, target, **more)) as scheduler:
        made = World(scheduler, database_url)
        [(made.workspace,)] = made.sql("INSERT INTO workspaces (name) VALUES ('w') RETURNING id")
        made.workspace = int(made.workspace)
        yield made
