"""The queue's commands, typed."""

import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from maillane_scheduler.queue import keys
from maillane_scheduler.queue.errors import LaneUnknown, QueueUnavailable, unavailable
from maillane_scheduler.queue.scripts import sources
from maillane_scheduler.queue.values import (
    Claimed,
    Due,
    Expired,
    GateConfig,
    Grant,
    InFlight,
    LaneConfig,
    Offer,
    ParkReason,
    Sentinel,
    Settled,
    Standing,
    Tally,
    Turn,
)

# A script holds up everybody else on the server while it runs. 2,000 adds take about 2 ms.
ENQUEUE_BATCH = 2_000
# The same for what reads and writes several keys a message.
SETTLE_BATCH = 1_000
# Far above what all senders of a deployment ask for at once.
MAX_CLAIM = 1_000
# Lanes, or messages, that are looked at in one call: some ms.
LOOK_BATCH = 500
# Keys unlinked at a time when an old generation is dropped.
DROP_BATCH = 500
# How long a wait for a wake-up may last before the connection is looked at again.
WAKE_POLL_S = 1.0
# A store that is lost again right after it was rebuilt is rebuilt again, but not for ever within one call.
RECOVERIES = 3

Argument = int | str | bytes
T = TypeVar("T")

Recover = Callable[["Queue"], Awaitable[None]]
"""Turns a queue to a generation that is served."""


class Queue:
    """The lane queue of one shard.

    Every method that reaches the scripts raises `QueueLost` or `StaleGeneration` (with nothing done) when the sentinel
    is not the one in use. Each script call is atomic; a method that takes a sequence makes one call per batch, and may
    be repeated where it fails between two. `now_us` is for tests: None is the server's clock.

    Args:
        client: a client that returns bytes (`decode_responses=False`).
        shard: which shard; all its keys lie in one slot.
        recover: called when the sentinel is not the one in use, to turn the queue to a generation that is served; the
            command is then repeated, a few times at most. Without it, the error reaches the caller.
    """

    def __init__(self, client: Redis, shard: int = 0, recover: Recover | None = None) -> None:
        self._client = client
        self._shard = shard
        self._recover = recover
        self._scripts = {name: client.register_script(source) for name, source in sources().items()}
        self.use(0)

    # --- the generation -----------------------------------------------------------------------------------------------

    def use(self, generation: int) -> None:
        """Turns to a generation; until the first call it is 0, which no sentinel names."""
        self.generation = generation
        self._prefix = keys.prefix(self._shard, generation)

    async def read_sentinel(self) -> Sentinel | None:
        """The sentinel, or None where the store was wiped or never filled."""
        stored: Sequence[Any] = await self._client.hmget(keys.sentinel(self._shard), ["generation", "run_id"])
        generation, run_id = stored
        return None if generation is None else Sentinel(int(generation), (run_id or b"").decode())

    async def write_sentinel(self, generation: int, run_id: str) -> None:
        """Makes a generation the one that is served. For the holder of the rebuild's lock only."""
        await self._client.hset(keys.sentinel(self._shard), mapping={"generation": generation, "run_id": run_id})

    async def run_id(self) -> str:
        """The run of the server that answers now, as `connection.run_of` has it: another one after each fail-over."""
        info = await self._client.info("server", "replication")
        return f"{info['run_id']}-{info['master_replid']}"

    async def now_us(self) -> int:
        """The server's clock."""
        seconds, micros = await self._client.time()
        return int(seconds) * 1_000_000 + int(micros)

    async def drop_generation(self, generation: int) -> None:
        """Unlinks all keys of a generation, some at a time. Safe to repeat.

        Raises:
            ValueError: it is the generation in use.
        """
        if generation == self.generation:
            raise ValueError(f"generation {generation} is in use")
        await self._unlink(keys.prefix(self._shard, generation) + "*", lambda _: True)

    async def drop_older(self) -> None:
        """Unlinks all keys of the generations before the one that is served. Safe to repeat."""
        sentinel = await self.read_sentinel()
        if sentinel is not None:
            served = sentinel.generation
            await self._unlink(keys.generations(self._shard), lambda key: keys.generation_of(key) < served)

    async def _unlink(self, pattern: str, is_old: Callable[[bytes], bool]) -> None:
        batch: list[bytes] = []
        async for key in self._client.scan_iter(match=pattern, count=DROP_BATCH):
            if is_old(key):
                batch.append(key)
            if len(batch) >= DROP_BATCH:
                await self._client.unlink(*batch)
                batch.clear()
        if batch:
            await self._client.unlink(*batch)

    # --- handing out --------------------------------------------------------------------------------------------------

    async def due(self, slots: int, *, now_us: int | None = None) -> Due:
        """What can be handed out now in at most `slots` messages, in serving order, and when to look again.

        A gate's lanes share its room under the cap; a lane with a gap offers one message, a gate with a gap one in all.
        Slots above MAX_CLAIM count as MAX_CLAIM.
        """
        now, next_us, *flat = await self._run("due", min(slots, MAX_CLAIM), now_us=now_us)
        offers = [Offer(int(m), int(c), int(n)) for m, c, n in _groups(flat, 3)]
        return Due(offers, None if next_us is None else int(next_us), int(now))

    async def claim(
        self, token: int, lease_us: int, grants: Sequence[Grant], *, now_us: int | None = None
    ) -> list[Claimed]:
        """Moves up to the granted number of each lane, in due order, to flight, under a token and a hand-over lease.

        All that makes a lane or gate eligible is checked again; a grant that is not eligible any more yields nothing.

        Raises:
            ValueError: more than MAX_CLAIM messages in all.
        """
        if sum(grant.count for grant in grants) > MAX_CLAIM:
            raise ValueError(f"a claim takes at most {MAX_CLAIM} messages")
        lanes = chain.from_iterable((g.mailbox, g.campaign, g.count) for g in grants)
        taken = await self._run("claim", token, lease_us, *lanes, now_us=now_us)
        return [
            Claimed(grant.mailbox, grant.campaign, keys.message_id(message), int(due))
            for grant, flat in zip(grants, taken, strict=True)
            for message, due in _groups(flat, 2)
        ]

    async def turn(
        self,
        token: int,
        lease_us: int,
        slots: int,
        permits: Sequence[Grant],
        leaving: Sequence[Settled],
        *,
        now_us: int | None = None,
    ) -> Turn:
        """Settles, then claims what is due of lanes with permits enough: `settle`, `due` and `claim` in one.

        Args:
            permits: those at hand, a lane once.

        Raises:
            ValueError: more than SETTLE_BATCH flights to end.
        """
        if len(leaving) > SETTLE_BATCH:
            raise ValueError(f"a turn ends at most {SETTLE_BATCH} flights")
        lanes = chain.from_iterable((p.mailbox, p.campaign, p.count, int(p.is_last)) for p in permits)
        head = (token, lease_us, min(slots, MAX_CLAIM), len(permits))
        reply = await self._run("turn", *head, *lanes, *_settled_fields(leaving), now_us=now_us)
        now, next_us, flat, *taken = reply
        offers = [Offer(int(m), int(c), int(n)) for m, c, n in _groups(flat, 3)]
        claimed = [
            Claimed(offer.mailbox, offer.campaign, keys.message_id(message), int(due))
            for offer, entries in zip(offers, taken, strict=True)
            for message, due in _groups(entries, 2)
        ]
        return Turn(Due(offers, None if next_us is None else int(next_us), int(now)), claimed)

    async def confirm(self, messages: Sequence[tuple[int, int]], *, now_us: int | None = None) -> None:
        """Ends the hand-over leases of (mailbox, message) that Postgres confirmed. Safe to repeat."""
        for batch in _batches(messages, SETTLE_BATCH):
            await self._run("confirm", *(keys.lease_member(*pair) for pair in batch), now_us=now_us)

    async def settle(self, items: Sequence[Settled], *, now_us: int | None = None) -> int:
        """Takes messages out of flight, each only under its token, and returns those with a due time to their lanes.

        Returns how many were in flight under their token. Safe to repeat: a token settles once.
        """
        done = 0
        for batch in _batches(items, SETTLE_BATCH):
            done += int(await self._run("settle", *_settled_fields(batch), now_us=now_us))
        return done

    async def unserve(self, token: int, lanes: Sequence[tuple[int, int]], *, now_us: int | None = None) -> None:
        """Undoes the service of (mailbox, campaign) by a claim that was not handed out: no gap is waited for after it.

        Safe to repeat.
        """
        for batch in _batches(lanes, SETTLE_BATCH):
            await self._run("unserve", token, *chain.from_iterable(batch), now_us=now_us)

    async def extend(self, messages: Sequence[tuple[int, int]], lease_us: int, *, now_us: int | None = None) -> None:
        """Gives (mailbox, message) in flight leases from now: when one runs out, Postgres is asked again.

        So no flight is forgotten, whoever dies between Postgres and the queue.
        """
        for batch in _batches(messages, SETTLE_BATCH):
            fields: Iterator[Argument] = chain.from_iterable(
                (mailbox, keys.member(message)) for mailbox, message in batch
            )
            await self._run("extend", lease_us, *fields, now_us=now_us)

    async def expired(self, limit: int, ahead_us: int = 0, *, now_us: int | None = None) -> list[Expired]:
        """Claims whose hand-over lease ran out, or will within `ahead_us`, oldest first, at most `limit`.

        Changes nothing: ask Postgres.
        """
        flat = await self._run("expired", limit, ahead_us, now_us=now_us)
        return [
            Expired(int(mailbox), flying.campaign, flying.message, flying.token, flying.due_us)
            for mailbox, message, value in _groups(flat, 3)
            for flying in (_in_flight(message, value),)
        ]

    # --- filling ------------------------------------------------------------------------------------------------------

    async def enqueue(
        self,
        mailbox: int,
        campaign: int,
        items: Sequence[tuple[int, int]],
        *,
        configured: bool = False,
        now_us: int | None = None,
    ) -> int:
        """Puts (message, due_us) into a lane; what waits there gets the new time, what is in flight is left alone.

        Returns how many the lane did not have before. Safe to repeat.

        Args:
            configured: only where lane and gate were configured in this generation. Without it, a lane is open at
                once, with no gap and the default cap.

        Raises:
            LaneUnknown: with `configured`: they were not.
            redis.exceptions.OutOfMemoryError: the server is at its maxmemory; nothing of that batch was added.
        """
        added = 0
        for batch in _batches(items, ENQUEUE_BATCH):
            messages, dues = zip(*batch, strict=True)
            packed = keys.members(messages), struct.pack(f">{len(dues)}d", *dues)
            new = int(await self._run("enqueue", mailbox, campaign, int(configured), *packed, now_us=now_us))
            if new < 0:
                raise LaneUnknown(f"nothing is known of lane {campaign} of mailbox {mailbox}")
            added += new
        return added

    async def adopt(
        self, mailbox: int, campaign: int, items: Sequence[tuple[int, int, int]], *, now_us: int | None = None
    ) -> None:
        """Puts (message, due_us, token) that Postgres has as SENDING in flight, with no hand-over lease.

        Whatever the queue had of them (in the lane, in flight under another token) gives way. Safe to repeat.
        """
        for batch in _batches(items, SETTLE_BATCH):
            fields: Iterator[Argument] = chain.from_iterable(
                (keys.member(message), due_us, token) for message, due_us, token in batch
            )
            await self._run("adopt", mailbox, campaign, *fields, now_us=now_us)

    async def forget(self, mailbox: int, campaign: int, messages: Sequence[int], *, now_us: int | None = None) -> int:
        """Removes messages that Postgres does not have as schedulable from a lane; returns how many were there."""
        gone = 0
        for batch in _batches(messages, ENQUEUE_BATCH):
            gone += int(await self._run("forget", mailbox, campaign, *map(keys.member, batch), now_us=now_us))
        return gone

    async def clear_lane(self, mailbox: int, campaign: int, *, now_us: int | None = None) -> None:
        """Empties a lane, whatever its length. Its flags, parks, last service and what is in flight stay."""
        await self._run("clear_lane", mailbox, campaign, now_us=now_us)

    async def remove_gate(self, mailbox: int, *, now_us: int | None = None) -> None:
        """Removes a mailbox with its lanes, flags and parks. What is in flight stays until it is settled."""
        await self._run("remove_gate", mailbox, now_us=now_us)

    # --- what holds lanes and gates -----------------------------------------------------------------------------------

    async def park_gate(self, mailbox: int, reason: ParkReason, until_us: int, *, now_us: int | None = None) -> None:
        """Sets a mailbox aside until an instant, for one reason; 0 lifts the park of that reason."""
        await self._run("park", mailbox, "", reason, until_us, now_us=now_us)

    async def park_lane(
        self, mailbox: int, campaign: int, reason: ParkReason, until_us: int, *, now_us: int | None = None
    ) -> None:
        """Sets a lane aside until an instant, for one reason; 0 lifts the park of that reason."""
        await self._run("park", mailbox, campaign, reason, until_us, now_us=now_us)

    async def configure_gate(self, mailbox: int, config: GateConfig, *, now_us: int | None = None) -> bool:
        """Writes what Postgres says of a mailbox, unless a later revision is there; returns whether it was written.

        The same revision is written again. Last service is kept.
        """
        parks = config.parks
        fields: Iterable[Argument] = () if parks is None else chain.from_iterable(parks.items())
        head = (mailbox, config.revision, int(config.paused), config.gap_us, config.cap, int(parks is not None))
        return bool(await self._run("configure_gate", *head, *fields, now_us=now_us))

    async def configure_lane(
        self, mailbox: int, campaign: int, config: LaneConfig, *, now_us: int | None = None
    ) -> None:
        """Writes what Postgres says of a campaign to one lane, unless a later revision is there.

        The gap and the pause flag each remember the revision that wrote them, for `set_campaign` writes only the
        flag: a pause that overtakes a change of the gap must not lose it.
        """
        fields = (config.revision, int(config.paused), config.gap_us)
        await self._run("configure_lane", mailbox, campaign, *fields, now_us=now_us)

    async def set_campaign(self, campaign: int, revision: int, paused: bool, *, now_us: int | None = None) -> bool:
        """Pauses or resumes a campaign in all its mailboxes, and in those that it gets later.

        Returns False, with nothing changed, where a later revision is there already.
        """
        return bool(await self._run("set_campaign", campaign, revision, int(paused), now_us=now_us))

    async def cancel_campaign(self, campaign: int, revision: int, *, now_us: int | None = None) -> bool:
        """Empties all lanes of a campaign, whatever their length, and pauses it for good under that revision.

        What is in flight stays until it is settled; what a straggler still adds waits behind the pause. Returns False,
        with nothing changed, where a later revision is there already.
        """
        return bool(await self._run("cancel_campaign", campaign, revision, now_us=now_us))

    async def free_campaign(self, campaign: int, revision: int, *, now_us: int | None = None) -> bool:
        """Forgets what is kept of a campaign that ended as of that revision; its lanes that hold something stay.

        Returns whether nothing is kept of it any more. Safe to repeat.
        """
        return bool(await self._run("free_campaign", campaign, revision, now_us=now_us))

    async def restore_service(self, mailbox: int, campaign: int, last_us: int, *, now_us: int | None = None) -> None:
        """Raises the last service of a lane and of its gate to an instant; never lowers it. For rebuilds."""
        await self._run("restore_service", mailbox, campaign, last_us, now_us=now_us)

    async def reindex(self, mailbox: int, campaign: int, *, now_us: int | None = None) -> None:
        """Writes the scores of a lane and of its gate anew, which tell of what is not there where one key was lost."""
        await self.restore_service(mailbox, campaign, 0, now_us=now_us)

    # --- looking ------------------------------------------------------------------------------------------------------

    async def next_due(self, *, now_us: int | None = None) -> int | None:
        """The next instant at which anything can be due: now if something is, None if nothing waits for time."""
        return (await self.due(0, now_us=now_us)).next_us

    async def first_us(self) -> int | None:
        """Since when, or from when on, the first gate can be served; None where none waits for time. Reads only."""
        found = await self._client.zrange(keys.gates(self._prefix), 0, 0, withscores=True)
        return int(found[0][1]) if found else None

    async def has_leases(self) -> bool:
        """Whether anything is in flight that Postgres is to be asked about some time: `expired` finds nothing else."""
        return bool(await self._client.exists(keys.leases(self._prefix)))

    async def flight(self, mailbox: int) -> list[InFlight]:
        """What is in flight in a mailbox, by message id."""
        pairs = _groups(await self._run("flight", mailbox), 2)
        return sorted((_in_flight(message, value) for message, value in pairs), key=lambda flying: flying.message)

    async def lane_size(self, mailbox: int, campaign: int) -> int:
        """How many messages wait in a lane."""
        return int(await self._run("lane_size", mailbox, campaign))

    async def standing(self, lanes: Sequence[tuple[int, int]]) -> list[Standing]:
        """How each (mailbox, campaign) stands, in their order. Each batch of LOOK_BATCH is of one instant."""
        found: list[Standing] = []
        for batch in _batches(lanes, LOOK_BATCH):
            flat = await self._run("standing", *chain.from_iterable(batch))
            found += [
                Standing(int(waiting), *(int(value) if value else None for value in rest))
                for waiting, *rest in _groups(flat, 4)
            ]
        return found

    async def tally(self, lanes: Sequence[tuple[int, int]]) -> list[Tally]:
        """What each (mailbox, campaign) holds, in their order. Each batch of LOOK_BATCH is of one instant."""
        found: list[Tally] = []
        for batch in _batches(lanes, LOOK_BATCH):
            flat = await self._run("tally", *chain.from_iterable(batch))
            found += [Tally(*(int(value) if value else 0 for value in lane)) for lane in _groups(flat, 4)]
        return found

    async def waiting(self, places: Sequence[tuple[int, int, int]], most: int) -> list[list[int]]:
        """Messages of (mailbox, campaign) from a place in due order on, up to `most` of each."""
        found: list[list[int]] = []
        for batch in _batches(places, LOOK_BATCH):
            ids = await self._run("waiting", *chain.from_iterable(batch), most)
            found += [list(map(keys.message_id, lane)) for lane in ids]
        return found

    async def places(self, messages: Sequence[tuple[int, int, int]]) -> list[int | None]:
        """The place of each (mailbox, campaign, message) in its lane, in due order; None where it does not wait."""
        found: list[int | None] = []
        for batch in _batches(messages, LOOK_BATCH):
            fields: Iterator[Argument] = chain.from_iterable((m, c, keys.member(message)) for m, c, message in batch)
            found += await self._run("place", *fields)
        return found

    async def wakes(self) -> AsyncIterator[None]:
        """Yields when something became due earlier than anything was, by this process or another one.

        The first item comes when the subscription stands, and one more after each reconnection: what was published
        before that went unheard, so look then. Hints only: a message on a lost connection is lost.
        """
        async with self._client.pubsub() as subscription:
            await subscription.subscribe(keys.wake_channel(self._shard))
            while True:
                # Not listen(): that is cut off by the client's socket timeout when nothing comes.
                if await subscription.get_message(timeout=WAKE_POLL_S) is not None:
                    yield None

    async def _run(self, command: str, *args: Argument, now_us: int | None = None) -> Any:
        """Runs a script. Its first argument is always the test's clock, or nothing."""
        arguments = ["" if now_us is None else now_us, *args]
        for _ in range(RECOVERIES):
            try:
                return await self._call(command, arguments)
            except QueueUnavailable:
                if self._recover is None:
                    raise
            await self._recover(self)
        return await self._call(command, arguments)

    async def _call(self, command: str, arguments: list[Argument]) -> Any:
        try:
            return await self._scripts[command](keys=[self._prefix], args=arguments)
        except ResponseError as error:
            refusal = unavailable(error)
            if refusal is None:
                raise
            raise refusal from None


def _settled_fields(items: Sequence[Settled]) -> Iterator[Argument]:
    return chain.from_iterable(
        (one.mailbox, keys.member(one.message), one.token, "" if one.due_us is None else one.due_us) for one in items
    )


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _groups(flat: Sequence[Any], size: int) -> Iterator[tuple[Any, ...]]:
    return zip(*(iter(flat),) * size, strict=True)


def _in_flight(message: bytes, value: bytes) -> InFlight:
    campaign, due, token = value.split(b"|")
    return InFlight(int(campaign), keys.message_id(message), int(token), int(due))
