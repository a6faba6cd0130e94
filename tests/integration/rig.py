"""What the system machine stands on: real stores, a real limiter, and two schedulers that can be killed at any step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from maillane.options.v1.access_pb2 import ACCESS_ADMIN
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane_chassis import access
from maillane_chassis.errors import Failure
from maillane_local.valkey import Valkey
from maillane_scheduler.api.dispatch_service import DispatchService
from maillane_scheduler.api.mailbox_service import MailboxService
from maillane_scheduler.sealing import Sealer
from maillane_scheduler.validation.mailboxes import MailboxRules
from redis import Redis

from .hazards import Fate, Hazard, Killed, fated, ignore_the_dead, quiet
from .world import World, limiter_at, settings

_T = TypeVar("_T")

HOUR_S = 86_400
"""The window of limits: so long that it seldom ends in a run, which counts by window all the same."""

_EMPTY = """
DELETE FROM attempts; DELETE FROM permits; DELETE FROM claims; DELETE FROM senders; DELETE FROM messages;
DELETE FROM marks; DELETE FROM campaigns; DELETE FROM parks; DELETE FROM mailboxes; DELETE FROM audit;
DELETE FROM suppressions
"""
# A copy of all keys in another database of the server, as a file of an earlier hour would be; what starts from it is
# another run of the server than the one that wrote it.
_SAVE = """
redis.call('SELECT', 1); redis.call('FLUSHDB'); redis.call('SELECT', 0)
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 1) end
"""
_LOAD = """
redis.call('FLUSHDB'); redis.call('SELECT', 1)
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 0) end
redis.call('SELECT', 0)
for _, key in ipairs(redis.call('KEYS', '*:epoch')) do redis.call('HSET', key, 'run_id', 'f00d') end
for _, key in ipairs(redis.call('KEYS', '*:sentinel')) do redis.call('HSET', key, 'run_id', 'f00d') end
"""


class Copy:
    """One scheduler process, its rpcs, and its fate."""

    def __init__(self, rig: Rig) -> None:
        self.fate = Fate()
        self.scheduler = fated(rig.settings, self.fate)
        part = self.scheduler
        rules = MailboxRules(
            default_hourly_limit=100, default_min_gap_us=0, extra_ports=frozenset(), allow_plaintext=True
        )
        sealer = Sealer(rig.settings.sealing_key)
        self.dispatch = DispatchService(part.dispatcher, part.settler, part.pool, sealer.open, part.links, lease_s=60)
        self.mailboxes = MailboxService(part.engine, part.sync, sealer, rules, None)
        self.campaigns = part.campaigns


Call = Callable[[Copy], Awaitable[_T]]


class _Context:
    """What servicers take from a call, but who makes it: `Rig.call` says that."""

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    def invocation_metadata(self) -> tuple[()]:
        return ()


_CONTEXT: Any = _Context()


class Rig(World):
    """Two schedulers over one tenant, called from outside of their event loop, one call after another."""

    def __init__(self, database_url: str, valkey: Valkey) -> None:
        self._runner = asyncio.Runner()
        ignore_the_dead(self._runner.get_loop())
        self.redis = Redis.from_url(valkey.unix_url)
        self._connection = psycopg.connect(database_url, autocommit=True)
        self._limiter = limiter_at(valkey.unix_url)
        self.settings = settings(
            database_url,
            valkey.unix_url,
            self._runner.run(self._limiter.__aenter__()),
            hour_s=HOUR_S,
            max_per_hour=100_000,
            dispatch_connections=2,
            api_connections=2,
            retry_first_s=0.01,
            retry_most_s=0.02,
            backoff_first_s=0.01,
            backoff_most_s=0.02,
        )
        self.copies: list[Copy] = []
        super().__init__(scheduler=None, database_url=database_url)  # type: ignore[arg-type]

    def begin(self) -> None:
        """An empty tenant, an empty Redis, two new schedulers."""
        self.close_copies()
        self.sql(_EMPTY)
        self.redis.flushall()
        self.addresses.clear()
        [(self.workspace,)] = self.sql("INSERT INTO workspaces (name) VALUES ('w') RETURNING id")
        self.copies = [self._open(), self._open()]

    def close(self) -> None:
        """Ends all."""
        self.close_copies()
        self._runner.run(self._limiter.__aexit__(None, None, None))
        self._runner.close()
        self._connection.close()
        self.redis.close()

    def close_copies(self) -> None:
        """Ends the schedulers as they are."""
        for copy in self.copies:
            copy.fate.kill()
            self._bury(copy)
        self.copies = []

    def call(self, which: int, call: Call[_T], hazard: Hazard | None = None, step: int = 0) -> _T | None:
        """One call to one of the schedulers; None where it brought no answer. One that died is replaced."""
        [answer] = self.call_at_once([(which, call)], hazard, step)
        return answer

    def call_at_once(
        self, calls: list[tuple[int, Call[Any]]], hazard: Hazard | None = None, step: int = 0
    ) -> list[Any | None]:
        """Calls that race; the hazard is that of the first one's scheduler."""
        self.copies[calls[0][0]].fate.arm(hazard, step)

        async def race() -> list[Any | None]:
            access._identity.set(access.Identity(self.workspace, None, ACCESS_ADMIN, "test"))
            answers = await asyncio.gather(*(self._answer(self.copies[which], call) for which, call in calls))
            for copy in self.copies:
                await quiet(copy.scheduler)
            return answers

        answers = self._runner.run(race())
        self._replace_the_dead()
        return answers

    def crash(self, which: int) -> None:
        """A scheduler dies between two calls."""
        self.copies[which].fate.kill()
        self._replace_the_dead()

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Runs SQL beside the schedulers, and commits."""
        cursor = self._connection.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []

    # --- the world's misfortunes --------------------------------------------------------------------------------------

    def wipe(self) -> None:
        """Redis loses everything."""
        self.redis.flushdb()

    def save(self) -> None:
        """Takes a copy of Redis."""
        self.redis.eval(_SAVE, 0)

    def load(self) -> None:
        """Another run of Redis starts from the copy: new connections reach it, and say so."""
        self.redis.eval(_LOAD, 0)
        for copy in self.copies:
            copy.scheduler.generation.reached("f00d")

    def age(self) -> None:
        """Time passes in which nobody does anything: whatever is looked at after a while is looked at now."""
        for key in self.redis.keys("q:*:leases"):
            self.redis.execute_command("ZUNIONSTORE", key, 1, key, "WEIGHTS", 0)
        self.sql("UPDATE marks SET create_time = now() - interval '1 hour'")

    # ------------------------------------------------------------------------------------------------------------------

    @staticmethod
    async def _answer(copy: Copy, call: Call[_T]) -> _T | None:
        try:
            return await call(copy)
        except Killed:
            return None
        except Failure:
            return None
        except Exception:
            if copy.fate.met:
                return None
            raise

    def _replace_the_dead(self) -> None:
        for place, copy in enumerate(self.copies):
            copy.fate.arm(None, 0)
            if copy.fate.dead:
                self._bury(copy)
                self.copies[place] = self._open()

    def _open(self) -> Copy:
        async def opened() -> Copy:
            copy = Copy(self)
            await copy.scheduler.__aenter__()
            return copy

        return self._runner.run(opened())

    def _bury(self, copy: Copy) -> None:
        self._runner.run(copy.scheduler.__aexit__(None, None, None))


def claiming(request: pb.ClaimMessagesRequest) -> Call[pb.ClaimMessagesResponse]:
    """A sender's claim."""
    return lambda copy: copy.dispatch.ClaimMessages(request, _CONTEXT)


def settling(request: pb.SettleMessagesRequest) -> Call[pb.SettleMessagesResponse]:
    """A sender's settles."""
    return lambda copy: copy.dispatch.SettleMessages(request, _CONTEXT)


def renewing(request: pb.RenewClaimsRequest) -> Call[pb.RenewClaimsResponse]:
    """A sender's renewal."""
    return lambda copy: copy.dispatch.RenewClaims(request, _CONTEXT)


def campaign_verb(name: str, campaign: int) -> Call[Any]:
    """Pause, Resume or Cancel of a campaign."""
    request = getattr(campaign_pb, f"{name}CampaignRequest")(campaign_id=str(campaign))
    return lambda copy: getattr(copy.campaigns, f"{name}Campaign")(request, _CONTEXT)


def mailbox_verb(name: str, mailbox: int) -> Call[Any]:
    """Pause or Resume of a mailbox."""
    request = getattr(mailbox_pb, f"{name}MailboxRequest")(mailbox_id=str(mailbox))
    return lambda copy: getattr(copy.mailboxes, f"{name}Mailbox")(request, _CONTEXT)


def raise_limit(mailbox: int, hourly: int) -> Call[Any]:
    """A mailbox's hourly limit, as a person changes it."""
    request = mailbox_pb.UpdateMailboxRequest(mailbox_id=str(mailbox))
    request.mailbox.hourly_limit = hourly
    request.update_mask.paths.append("hourly_limit")
    return lambda copy: copy.mailboxes.UpdateMailbox(request, _CONTEXT)


def raise_campaign_limit(campaign: int, hourly: int) -> Call[Any]:
    """A campaign's hourly limit, as a person changes it."""
    request = campaign_pb.UpdateCampaignRequest(campaign_id=str(campaign))
    request.campaign.hourly_limit = hourly
    request.update_mask.paths.append("hourly_limit")
    return lambda copy: copy.campaigns.UpdateCampaign(request, _CONTEXT)


def sweep(copy: Copy) -> Awaitable[bool]:
    """One round of the sweep."""
    return copy.scheduler.sweeper.sweep()
