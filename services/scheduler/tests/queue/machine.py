"""Random sequences of commands for queue and model alike; after each step both hold the same."""

import asyncio
from collections.abc import Iterable
from copy import deepcopy
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from maillane_scheduler.queue import GateConfig, Grant, LaneConfig, ParkReason, Queue, Settled, keys
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from .model import Model

# Ids whose order as numbers is not their order as text, by which the server sorts equal scores.
MAILBOXES = (9, 10, 100)
CAMPAIGNS = (7, 10, 70)
GENERATION = 1
LEASE_US = 5_000
MS = 1_000
LONGEST_PARK_MS = 15

mailboxes = st.sampled_from(MAILBOXES)
campaigns = st.sampled_from(CAMPAIGNS)
REASONS: tuple[ParkReason, ...] = ("limit", "backoff", "window")
reasons = st.sampled_from(REASONS)
park_ms = st.integers(0, LONGEST_PARK_MS)  # 0 lifts
ahead_ms = st.integers(-5, LONGEST_PARK_MS)
# Mostly running: what is paused tells little about the rest.
paused = st.sampled_from([False, False, False, True])
gaps = st.sampled_from([0, 0, 3 * MS])
permits = st.lists(
    st.builds(Grant, mailboxes, campaigns, st.integers(1, 9), st.booleans()),
    max_size=4,
    unique_by=lambda grant: (grant.mailbox, grant.campaign),
)
# Of an older row, of the same, of a newer one.
revision_steps = st.sampled_from([-1, 0, 1, 1])


class QueueMachine(RuleBasedStateMachine):
    """A queue beside its model, on the server of `on`. The clock is the machine's, and may jump back."""

    url: ClassVar[str]

    @classmethod
    def on(cls, url: str) -> type["QueueMachine"]:
        """The machine for a server, which it empties each time it begins."""
        return type("QueueMachine", (cls,), {"url": url})

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.client = Redis.from_url(self.url)
        self.async_client = AsyncRedis.from_url(self.url)
        self.wakes = self.client.pubsub()
        self.model = Model()
        self.now = 1_790_000_000_000_000
        self.messages = 250  # so that ids soon pass a byte
        self.tokens = 2**62
        self.revision = 1
        # What must be in exactly one of lane and flight: (mailbox, campaign, message).
        self.alive: set[tuple[int, int, int]] = set()

    @initialize(data=st.data())
    def open(self, data: st.DataObject) -> None:
        """An empty queue, and at once something to serve: the other rules have something to meet then."""
        self.client.flushall()
        self.wakes.subscribe(keys.wake_channel(0))
        self.queue = Queue(self.async_client)
        self.runner.run(self.queue.write_sentinel(GENERATION, "run"))
        self.queue.use(GENERATION)
        lanes = [data.draw(strategy) for strategy in (mailboxes, campaigns, campaigns, gaps, gaps, st.booleans())]
        self.open_wide_and_serve(*lanes)

    def teardown(self) -> None:
        self.wakes.close()
        self.client.close()
        self.runner.run(self.async_client.aclose())
        self.runner.close()

    def both(self, command: str, *args: Any) -> Any:
        """Gives a command to both; they must answer alike, and a wake-up goes out if something became due earlier."""
        before = self.model.earliest()
        expected = getattr(self.model, command)(*args, now_us=self.now)
        answer = self.runner.run(getattr(self.queue, command)(*args, now_us=self.now))
        assert answer == expected, (command, args)
        assert self.heard() == (self.model.earliest() < before), (command, args)
        return answer

    # --- time and filling ---------------------------------------------------------------------------------------------

    @rule(ms=st.integers(1, 12))
    def time_passes(self, ms: int) -> None:
        self.now += ms * MS

    @rule(ms=st.integers(1, 40))
    def the_clock_jumps_back(self, ms: int) -> None:
        self.now -= ms * MS

    @rule(mailbox=mailboxes, campaign=campaigns, ahead=st.lists(ahead_ms, min_size=1, max_size=4))
    def enqueue(self, mailbox: int, campaign: int, ahead: list[int]) -> None:
        items = [(self.messages + i, self.now + ms * MS) for i, ms in enumerate(ahead)]
        self.messages += len(items)
        self.alive |= {(mailbox, campaign, message) for message, _ in items}
        self.both("enqueue", mailbox, campaign, items)

    @rule(mailbox=mailboxes, campaign=campaigns, ahead=ahead_ms)
    def enqueue_again(self, mailbox: int, campaign: int, ahead: int) -> None:
        """A producer repeats itself, with other times: of what waits and of what flies."""
        messages = sorted(message for *lane, message in self.alive if lane == [mailbox, campaign])
        if messages:
            self.both("enqueue", mailbox, campaign, [(message, self.now + ahead * MS) for message in messages])

    @rule(mailbox=mailboxes, campaign=campaigns, new=st.booleans(), ahead=ahead_ms)
    def adopt(self, mailbox: int, campaign: int, new: bool, ahead: int) -> None:
        messages = [message for *lane, message in sorted(self.alive) if lane == [mailbox, campaign]][:2]
        if new:
            messages.append(self.messages)
            self.messages += 1
        if messages:
            self.tokens += 1
            self.alive |= {(mailbox, campaign, message) for message in messages}
            items = [(message, self.now + ahead * MS, self.tokens) for message in messages]
            self.both("adopt", mailbox, campaign, items)

    # --- handing out --------------------------------------------------------------------------------------------------

    @rule(mailbox=mailboxes, first=campaigns, second=campaigns, slots=st.integers(2, 9), asked=st.booleans())
    def serve_a_backlog(self, mailbox: int, first: int, second: int, slots: int, asked: bool) -> None:
        """Two overdue lanes of one mailbox, and a round of serving: by offers, or by grants that are too large."""
        for campaign in (first, second):
            self.enqueue(mailbox, campaign, [-3, -3, -2])
        if asked:
            self.serve(slots)
        else:
            self.claim_unasked([(mailbox, first, slots), (mailbox, second, slots)])

    @rule(mailbox=mailboxes, first=campaigns, second=campaigns, gap=gaps, lane_gap=gaps, asked=st.booleans())
    def open_wide_and_serve(self, mailbox: int, first: int, second: int, gap: int, lane_gap: int, asked: bool) -> None:
        """The same where nothing but gaps holds anything: random holds alone would seldom leave two lanes free."""
        self.time_passes(2 * LONGEST_PARK_MS)
        self.both("configure_gate", mailbox, GateConfig(self.next_revision(1), False, gap, 8))
        self.both("configure_lane", mailbox, first, LaneConfig(self.next_revision(1), False, lane_gap))
        self.both("configure_lane", mailbox, second, LaneConfig(self.next_revision(1), False, 0))
        self.serve_a_backlog(mailbox, first, second, 5, asked)
        self.enqueue_again(mailbox, first, 0)
        self.serve(8)

    @rule(slots=st.integers(0, 9))
    def serve(self, slots: int) -> None:
        """What is offered is what can be claimed: every grant of an offer is filled."""
        offers = self.both("due", slots).offers
        self.tokens += 1
        grants = [Grant(offer.mailbox, offer.campaign, offer.count) for offer in offers]
        claimed = self.both("claim", self.tokens, LEASE_US, grants)
        assert len(claimed) == sum(grant.count for grant in grants) <= slots

    @rule(slots=st.integers(1, 9), ahead=st.one_of(st.none(), ahead_ms))
    def serve_and_settle_all(self, slots: int, ahead: int | None) -> None:
        self.serve(slots)
        due = None if ahead is None else self.now + ahead * MS
        items = [Settled(mailbox, f.message, f.token, due) for mailbox, f in self.flying()]
        self.settle_items([*items, *items[:2]])

    @rule(slots=st.integers(0, 9), permits=permits, data=st.data(), ahead=st.one_of(st.none(), ahead_ms))
    def take_a_turn(self, slots: int, permits: list[Grant], data: st.DataObject, ahead: int | None) -> None:
        """Flights end, and what there are permits for is claimed: of what is due, no more, and no less."""
        due = None if ahead is None else self.now + ahead * MS
        flying = self.flying()
        chosen = data.draw(st.lists(st.sampled_from(flying), max_size=4)) if flying else []
        leaving = [Settled(mailbox, f.message, f.token, due) for mailbox, f in chosen]
        self.turn(slots, permits, leaving)

    @rule(mailbox=mailboxes, campaign=campaigns, slots=st.integers(1, 9), each=st.integers(1, 4), back=st.booleans())
    def take_turns_with_permits_for_all(self, mailbox: int, campaign: int, slots: int, each: int, back: bool) -> None:
        """Turn after turn, each ends the flights of the one before: as a scheduler works under load."""
        self.time_passes(2 * LONGEST_PARK_MS)
        self.both("configure_gate", mailbox, GateConfig(self.next_revision(1), False, 0, 8))
        self.both("configure_lane", mailbox, campaign, LaneConfig(self.next_revision(1), False, 0))
        self.enqueue(mailbox, campaign, [-3, -3, -2])
        permits = [Grant(mailbox, campaign, each, each < 3) for mailbox in MAILBOXES for campaign in CAMPAIGNS]
        for _ in range(3):
            due = self.now if back else None
            self.turn(slots, permits, [Settled(mailbox, f.message, f.token, due) for mailbox, f in self.flying()])

    def turn(self, slots: int, permits: list[Grant], leaving: list[Settled]) -> None:
        before = self.model.earliest()
        flying = {(mailbox, f.campaign, f.message) for mailbox, f in self.flying()}
        self.tokens += 1
        # What leaves may wake somebody, though this very turn takes what it made room for.
        after_leaving = deepcopy(self.model)
        after_leaving.settle(leaving, now_us=self.now)
        still = {(mailbox, f.campaign, f.message) for mailbox, fs in after_leaving.flights.items() for f in fs.values()}
        arguments = (self.tokens, LEASE_US, slots, permits, leaving)
        expected = self.model.turn(*arguments, now_us=self.now)

        answer = self.runner.run(self.queue.turn(*arguments, now_us=self.now))

        assert answer == expected, arguments
        assert self.heard() == (min(after_leaving.earliest(), self.model.earliest()) < before), arguments
        assert len(answer.claimed) + sum(offer.count for offer in answer.unmet()) <= slots
        if any(item.due_us is None for item in leaving):
            self.alive -= flying - still

    @rule(lanes=st.lists(st.tuples(mailboxes, campaigns, st.integers(1, 4)), min_size=1, max_size=5))
    def claim_unasked(self, lanes: list[tuple[int, int, int]]) -> None:
        """Grants for lanes that were not offered: parked, paused, empty, at their cap, twice."""
        self.tokens += 1
        self.both("claim", self.tokens, LEASE_US, [Grant(*lane) for lane in lanes])

    @precondition(lambda self: self.flying())
    @rule(data=st.data(), ahead=st.one_of(st.none(), ahead_ms), stale=st.booleans())
    def settle_some(self, data: st.DataObject, ahead: int | None, stale: bool) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.flying()), min_size=1, max_size=3))
        due = None if ahead is None else self.now + ahead * MS
        items = [Settled(mailbox, f.message, f.token - stale, due) for mailbox, f in chosen]
        self.settle_items(items)

    @precondition(lambda self: self.model.leases)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        leases = sorted(self.model.leases)
        self.both("confirm", [data.draw(st.sampled_from(leases)), leases[0]])

    @rule(data=st.data(), ms=st.integers(1, 10))
    def extend(self, data: st.DataObject, ms: int) -> None:
        """Leases for what flies, and for what does not."""
        pairs = sorted((mailbox, message) for mailbox, _, message in self.alive)
        if pairs:
            self.both("extend", data.draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=3)), ms * MS)

    @rule(limit=st.integers(1, 4))
    def expired(self, limit: int) -> None:
        self.both("expired", limit)

    # --- taking away --------------------------------------------------------------------------------------------------

    @rule(what=st.sampled_from(["forget", "clear_lane", "remove_gate"]), mailbox=mailboxes, campaign=campaigns)
    def take_away(self, what: str, mailbox: int, campaign: int) -> None:
        """One rule for three commands, or there would seldom be anything left to serve."""
        of_lane = {item for item in self.alive if item[:2] == (mailbox, campaign)}
        if what == "forget":
            of_lane = set(sorted(of_lane)[:2])
            self.both("forget", mailbox, campaign, [message for *_, message in sorted(of_lane)])
            self.gone(of_lane)
        elif what == "clear_lane":
            self.both("clear_lane", mailbox, campaign)
            self.gone(of_lane)
        else:
            self.both("remove_gate", mailbox)
            self.gone(item for item in self.alive if item[0] == mailbox)

    @rule(campaign=campaigns, step=revision_steps)
    def cancel_campaign(self, campaign: int, step: int) -> None:
        before = {lane for lane in self.model.lanes if lane[1] == campaign and self.model.lanes[lane].messages}
        self.both("cancel_campaign", campaign, self.next_revision(step))
        emptied = {lane for lane in before if not self.model.lanes[lane].messages}
        self.gone(item for item in self.alive if item[:2] in emptied)

    @rule(mailbox=mailboxes, campaign=campaigns, cancelled=st.booleans(), ended=st.booleans(), step=revision_steps)
    def free_campaign(self, mailbox: int, campaign: int, cancelled: bool, ended: bool, step: int) -> None:
        """With what it holds and what is in flight of it, or without; and then it appears again."""
        self.enqueue(mailbox, campaign, [1])
        if cancelled:
            self.cancel_campaign(campaign, 1)
        if ended:
            of_it = [Settled(gate, f.message, f.token, None) for gate, f in self.flying() if f.campaign == campaign]
            self.settle_items(of_it)
        self.both("free_campaign", campaign, self.next_revision(step))
        self.enqueue(mailbox, campaign, [1])

    # --- what holds ---------------------------------------------------------------------------------------------------

    @rule(
        whole=st.booleans(), mailbox=mailboxes, campaign=campaigns, reason=reasons, ms=st.integers(0, LONGEST_PARK_MS)
    )
    def park(self, whole: bool, mailbox: int, campaign: int, reason: str, ms: int) -> None:
        until = self.now + ms * MS if ms else 0
        if whole:
            self.both("park_gate", mailbox, reason, until)
        else:
            self.both("park_lane", mailbox, campaign, reason, until)

    @rule(mailbox=mailboxes, campaign=campaigns, reason=reasons, whole=st.booleans())
    def park_what_waits(self, mailbox: int, campaign: int, reason: str, whole: bool) -> None:
        """A park that alone decides when: it is longer than any other, and there is something behind it."""
        until = self.now + 2 * LONGEST_PARK_MS * MS
        self.both("configure_gate", mailbox, GateConfig(self.next_revision(1), False, 0, 8))
        self.both("configure_lane", mailbox, campaign, LaneConfig(self.next_revision(1), False, 0))
        self.enqueue(mailbox, campaign, [-1])
        if whole:
            self.both("park_gate", mailbox, reason, until)
        else:
            self.both("park_lane", mailbox, campaign, reason, until)
        self.serve(5)

    @rule(mailbox=mailboxes, step=revision_steps, paused=paused, gap=gaps, cap=st.integers(0, 8), data=st.data())
    def configure_gate(self, mailbox: int, step: int, paused: bool, gap: int, cap: int, data: st.DataObject) -> None:
        parks = data.draw(st.one_of(st.none(), st.dictionaries(reasons, ahead_ms.map(lambda ms: self.now + ms * MS))))
        self.both("configure_gate", mailbox, GateConfig(self.next_revision(step), paused, gap, cap, parks))

    @rule(mailbox=mailboxes, campaign=campaigns, step=revision_steps, paused=paused, gap=gaps)
    def configure_lane(self, mailbox: int, campaign: int, step: int, paused: bool, gap: int) -> None:
        self.both("configure_lane", mailbox, campaign, LaneConfig(self.next_revision(step), paused, gap))

    @rule(campaign=campaigns, step=revision_steps, paused=paused)
    def set_campaign(self, campaign: int, step: int, paused: bool) -> None:
        self.both("set_campaign", campaign, self.next_revision(step), paused)

    @rule(mailbox=mailboxes, campaign=campaigns, paused=st.booleans())
    def flags_overtake_each_other(self, mailbox: int, campaign: int, paused: bool) -> None:
        """Pause and resume arrive the wrong way round, where there is something to pause."""
        self.enqueue(mailbox, campaign, [1])
        oldest, older, newest = (self.next_revision(1) for _ in range(3))
        self.both("set_campaign", campaign, older, paused)
        self.both("set_campaign", campaign, oldest, not paused)
        self.both("configure_lane", mailbox, campaign, LaneConfig(oldest, not paused, 0))
        self.both("configure_lane", mailbox, campaign, LaneConfig(newest, paused, 0))
        self.both("set_campaign", campaign, older, not paused)

    @rule(mailbox=mailboxes, campaign=campaigns, ahead=ahead_ms)
    def restore_service(self, mailbox: int, campaign: int, ahead: int) -> None:
        self.both("restore_service", mailbox, campaign, self.now + ahead * MS)

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def the_store_is_what_the_model_says(self) -> None:
        """I1: each index equals its recomputation; flight and leases are those of the model."""
        assert stored(self.client) == pictured(self.model)

    @invariant()
    def every_message_is_in_one_place(self) -> None:
        """I2: what was not settled or taken away is in exactly one of lane and flight, and nothing else is."""
        waiting = [(*lane, message) for lane, state in self.model.lanes.items() for message in state.messages]
        flying = [(mailbox, f.campaign, f.message) for mailbox, f in self.flying()]
        assert sorted([*waiting, *flying]) == sorted(self.alive)

    # ------------------------------------------------------------------------------------------------------------------

    def flying(self) -> list[tuple[int, Any]]:
        return [(mailbox, f) for mailbox, flight in sorted(self.model.flights.items()) for f in flight.values()]

    def gone(self, items: Iterable[tuple[int, int, int]]) -> None:
        flying = {(mailbox, f.campaign, f.message) for mailbox, f in self.flying()}
        self.alive -= set(items) - flying

    def settle_items(self, items: list[Settled]) -> None:
        before = {(mailbox, f.campaign, f.message) for mailbox, f in self.flying()}
        self.both("settle", items)
        if any(item.due_us is None for item in items):
            self.alive -= before - {(mailbox, f.campaign, f.message) for mailbox, f in self.flying()}

    def next_revision(self, step: int) -> int:
        self.revision += max(step, 0)
        return max(self.revision + min(step, 0), 1)

    def heard(self) -> bool:
        """Whether a wake-up was published since the last time. What was published lies before the end mark."""
        self.client.publish(keys.wake_channel(0), "end")
        heard = False
        for message in self.wakes.listen():
            if message["data"] == b"end":
                break
            heard = heard or message["type"] == "message"
        return heard


def stored(client: Redis) -> dict[str, Any]:
    """What the store holds, empty keys left out."""
    prefix = keys.prefix(0, GENERATION)
    names = ["gates", "leases"]
    names += [f"g:{mailbox}:lanes" for mailbox in MAILBOXES]
    names += [f"l:{mailbox}:{campaign}" for mailbox in MAILBOXES for campaign in CAMPAIGNS]
    with client.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.zrange(prefix + name, 0, -1, withscores=True)
        for mailbox in MAILBOXES:
            pipeline.hgetall(f"{prefix}g:{mailbox}:flight")
        replies = pipeline.execute()
    picture = dict(zip([*names, *(f"g:{mailbox}:flight" for mailbox in MAILBOXES)], replies, strict=True))
    return {name: [tuple(p) for p in v] if isinstance(v, list) else v for name, v in picture.items() if v}


def pictured(model: Model) -> dict[str, Any]:
    """The same of the model, brought into the store's form."""
    picture: dict[str, Any] = {"gates": text_ids(model.gate_scores())}
    leases = sorted((end, keys.lease_member(*pair)) for pair, end in model.leases.items())
    picture["leases"] = [(member, end) for end, member in leases]
    for mailbox in MAILBOXES:
        picture[f"g:{mailbox}:lanes"] = text_ids(model.lane_scores(mailbox))
        flight = model.flights.get(mailbox, {}).values()
        picture[f"g:{mailbox}:flight"] = {
            keys.member(f.message): f"{f.campaign}|{f.due_us}|{f.token}".encode() for f in flight
        }
    for (mailbox, campaign), lane in model.lanes.items():
        picture[f"l:{mailbox}:{campaign}"] = [(keys.member(message), due) for due, message in lane.order()]
    return {name: value for name, value in picture.items() if value}


def text_ids(scores: list[tuple[int, int]]) -> list[tuple[bytes, int]]:
    return [(str(name).encode(), score) for name, score in scores]
