"""The queue's corner cases, by name. What holds for all sequences of commands is in test_model.py."""

import asyncio
from typing import Any

import pytest
from maillane_scheduler.plan import MAX_DUE_US
from maillane_scheduler.queue import (
    Claimed,
    Expired,
    GateConfig,
    Grant,
    LaneConfig,
    Offer,
    Queue,
    QueueLost,
    Sentinel,
    Settled,
    StaleGeneration,
    Standing,
    Tally,
    keys,
)
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

M, OTHER_M = 11, 12
C, OTHER_C = 21, 22
NOW = 1_790_000_000_123_457
LEASE = 5_000_000
TOKEN = 2**62 + 12345
SECOND = 1_000_000


async def test_what_is_due_is_offered_claimed_and_settled(queue: Queue) -> None:
    """A message goes through the queue: waiting, offered at its time, in flight, gone."""
    await queue.enqueue(M, C, [(1, NOW)], now_us=NOW - 1)
    early = await queue.due(5, now_us=NOW - 1)
    due = await queue.due(5, now_us=NOW)
    claimed = await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW)
    settled = await queue.settle([Settled(M, 1, TOKEN)], now_us=NOW)

    assert (early.offers, early.next_us) == ([], NOW)
    assert (due.offers, due.next_us) == ([Offer(M, C, 1)], None)
    assert (claimed, settled) == ([Claimed(M, C, 1, NOW)], 1)
    assert (await queue.flight(M), await queue.lane_size(M, C)) == ([], 0)


async def test_equal_due_times_keep_campaign_order(queue: Queue) -> None:
    """Messages due at the same µs leave by id, also where ids have different numbers of digits and bytes."""
    messages = [9, 10, 255, 256, 70_000, 2**40]
    await queue.configure_gate(M, GateConfig(1, False, 0, 100))
    await queue.enqueue(M, C, [(message, NOW) for message in reversed(messages)], now_us=NOW)
    claimed = await queue.claim(TOKEN, LEASE, [Grant(M, C, 100)], now_us=NOW)

    assert [claim.message for claim in claimed] == messages


async def test_instants_are_exact_to_the_microsecond(queue: Queue, client: Redis) -> None:
    """Every score and stored instant is the integer itself, never a rounded 1.79e+15."""
    await queue.configure_lane(M, C, LaneConfig(1, False, 7))
    await queue.enqueue(M, C, [(1, NOW - 1), (2, NOW + 1)], now_us=NOW)
    claimed = await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW)
    prefix = keys.prefix(0, 1)

    assert claimed == [Claimed(M, C, 1, NOW - 1)]
    assert await client.hget(f"{prefix}g:{M}", "last") == str(NOW).encode()
    assert await client.zrange(f"{prefix}gates", 0, -1, withscores=True) == [(b"11", NOW + 7)]
    assert await client.zrange(f"{prefix}leases", 0, -1, withscores=True) == [(keys.lease_member(M, 1), NOW + LEASE)]


async def test_the_servers_clock_is_read_once_a_script(queue: Queue, client: Redis) -> None:
    """All instants of one claim are the same, although the server's clock moves while it runs."""
    await queue.configure_gate(M, GateConfig(1, False, 0, 1_000))
    for campaign in range(200):
        await queue.enqueue(M, 100 + campaign, [(campaign, 1)])
    await queue.claim(TOKEN, LEASE, [Grant(M, 100 + campaign, 1) for campaign in range(200)])
    fields: Any = await client.hgetall(f"{keys.prefix(0, 1)}g:{M}")
    leases: Any = await client.zrange(f"{keys.prefix(0, 1)}leases", 0, -1, withscores=True)

    assert len({value for field, value in fields.items() if field.startswith(b"last")}) == 1
    assert len({score for _, score in leases}) == 1


async def test_the_largest_batches_pass(queue: Queue) -> None:
    """Batches at their limits, and sequences of several batches, do not meet Lua's limit on unpack."""
    count = 5_000
    await queue.configure_gate(M, GateConfig(1, False, 0, 10_000))
    added = await queue.enqueue(M, C, [(message, NOW) for message in range(count)], now_us=NOW)
    offers = (await queue.due(10_000, now_us=NOW)).offers
    claimed = [c for _ in range(5) for c in await queue.claim(TOKEN, LEASE, [Grant(M, C, 1_000)], now_us=NOW)]
    again = await queue.enqueue(M, C, [(message, NOW) for message in range(count)], now_us=NOW)
    settled = await queue.settle([Settled(M, claim.message, TOKEN, NOW) for claim in claimed], now_us=NOW)
    gone = await queue.forget(M, C, range(count), now_us=NOW)

    assert offers == [Offer(M, C, 1_000)]
    assert (added, len(claimed), again, settled, gone) == (count, count, 0, count, count)


async def test_a_claim_that_is_too_large_is_refused(queue: Queue) -> None:
    """A claim of more than the limit is refused before the server sees it."""
    with pytest.raises(ValueError, match="at most 1000"):
        await queue.claim(TOKEN, LEASE, [Grant(M, C, 600), Grant(M, OTHER_C, 600)])


async def commands_of(client: Redis, act: Any) -> int:
    """How many commands the server ran while `act` was awaited, those inside scripts included."""
    await client.config_resetstat()
    await act
    stats = await client.info("commandstats")
    around = ("config", "evalsha", "script")
    return sum(stat["calls"] for name, stat in stats.items() if not any(word in name for word in around))


@pytest.mark.parametrize("count", [1, 10, 1_000])
async def test_a_turn_takes_the_same_commands_whatever_its_size(queue: Queue, client: Redis, count: int) -> None:
    """A claim of one message and one of a thousand run equally many commands."""
    await queue.configure_gate(M, GateConfig(1, False, 0, 10_000))
    await queue.enqueue(M, C, [(message, NOW) for message in range(2_000)], now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW)

    assert await commands_of(client, queue.claim(TOKEN, LEASE, [Grant(M, C, count)], now_us=NOW + 1)) == 18


async def test_parking_a_mailbox_takes_few_commands_whatever_waits(queue: Queue, client: Redis) -> None:
    """A mailbox with 10,000 messages behind it is set aside without moving any."""
    await queue.enqueue(M, C, [(message, NOW) for message in range(10_000)], now_us=NOW)

    assert await commands_of(client, queue.park_gate(M, "limit", NOW + SECOND, now_us=NOW)) <= 7
    assert await queue.next_due(now_us=NOW) == NOW + SECOND


async def test_the_latest_park_holds_and_each_is_lifted_by_itself(queue: Queue) -> None:
    """A gate's parks of different reasons stand side by side; lifting one leaves the others."""
    await queue.enqueue(M, C, [(1, NOW)], now_us=NOW)
    await queue.park_gate(M, "limit", NOW + 5, now_us=NOW)
    await queue.park_gate(M, "backoff", NOW + 3, now_us=NOW)
    await queue.park_lane(M, C, "window", NOW + 4, now_us=NOW)
    latest = await queue.next_due(now_us=NOW)
    await queue.park_gate(M, "limit", 0, now_us=NOW)
    lifted = await queue.next_due(now_us=NOW)
    await queue.park_lane(M, C, "window", 0, now_us=NOW)

    assert (latest, lifted, await queue.next_due(now_us=NOW)) == (NOW + 5, NOW + 4, NOW + 3)


async def test_parks_with_a_configuration_replace_all(queue: Queue) -> None:
    """A gate configured with parks has those and no others; one configured without keeps what it has."""
    await queue.enqueue(M, C, [(1, NOW)], now_us=NOW)
    await queue.park_gate(M, "limit", NOW + 9, now_us=NOW)
    await queue.configure_gate(M, GateConfig(1, False, 0, 5), now_us=NOW)
    kept = await queue.next_due(now_us=NOW)
    await queue.configure_gate(M, GateConfig(1, False, 0, 5, {"backoff": NOW + 3, "window": NOW + 2}), now_us=NOW)

    assert (kept, await queue.next_due(now_us=NOW)) == (NOW + 9, NOW + 3)


async def test_a_gate_with_a_gap_offers_one_message_in_all(queue: Queue) -> None:
    """Two lanes that are due behind a mailbox with a minimum gap: one offer, and the next a gap later."""
    await queue.configure_gate(M, GateConfig(1, False, SECOND, 5))
    for campaign in (C, OTHER_C):
        await queue.enqueue(M, campaign, [(campaign * 10 + i, NOW) for i in range(3)], now_us=NOW)
    due = await queue.due(10, now_us=NOW)
    claimed = await queue.claim(TOKEN, LEASE, [Grant(M, C, 3), Grant(M, OTHER_C, 3)], now_us=NOW)

    assert (due.offers, due.next_us) == ([Offer(M, C, 1)], NOW + SECOND)
    assert [claim.message for claim in claimed] == [210]


async def test_a_lane_that_fell_behind_does_not_burst(queue: Queue) -> None:
    """A lane with a gap gives one message a gap, however overdue they are; the first gap is 50 ms shorter."""
    await queue.configure_lane(M, C, LaneConfig(1, False, SECOND))
    await queue.enqueue(M, C, [(message, NOW - 9 * SECOND + message) for message in range(5)], now_us=NOW)
    times, now = [], NOW
    while (next_us := await queue.next_due(now_us=now)) is not None:
        now = next_us
        times += [now for _ in await queue.claim(TOKEN, LEASE, [Grant(M, C, 5)], now_us=now)]

    assert times == [NOW, *(NOW + i * SECOND - 50_000 for i in range(1, 5))]


@pytest.mark.parametrize(
    ("gap", "late", "counted"),
    [(SECOND, 20_000, 0), (SECOND, 50_000, 0), (SECOND, 51_000, 1_000), (100_000, 10_001, 1), (9, 1, 1)],
)
async def test_a_lane_that_is_a_little_late_keeps_its_pace(queue: Queue, gap: int, late: int, counted: int) -> None:
    """Up to 50 ms, or a tenth of its gap, that a message is handed out late, the next one does not wait for."""
    await queue.configure_lane(M, C, LaneConfig(1, False, gap))
    await queue.enqueue(M, C, [(1, NOW), (2, NOW)], now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW + late)

    assert await queue.next_due(now_us=NOW + late) == NOW + counted + gap


async def test_a_mailbox_that_is_a_little_late_waits_for_its_whole_gap(queue: Queue) -> None:
    """A minimum gap is between two hand-outs, however late the first was."""
    await queue.configure_gate(M, GateConfig(1, False, SECOND, 9))
    await queue.enqueue(M, C, [(1, NOW), (2, NOW)], now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW + 20_000)

    assert await queue.next_due(now_us=NOW + 20_000) == NOW + 20_000 + SECOND


async def test_a_clock_that_jumped_back_holds_nothing_for_long(queue: Queue) -> None:
    """A last service in the future counts as now at the next touch: a gap is waited for once, not an hour."""
    await queue.configure_lane(M, C, LaneConfig(1, False, SECOND))
    await queue.enqueue(M, C, [(1, 1), (2, 2)], now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW)
    back = NOW - 3_600 * SECOND
    await queue.configure_lane(M, C, LaneConfig(1, False, SECOND), now_us=back)

    assert await queue.next_due(now_us=back) == back + SECOND


async def test_a_claim_that_is_not_handed_out_costs_no_gap(queue: Queue) -> None:
    """Undone under its token, it is as if it had not been: the lane is due at once; under another, nothing changes."""
    await queue.configure_lane(M, C, LaneConfig(1, False, 3_600 * SECOND))
    await queue.enqueue(M, C, [(1, NOW), (2, NOW)], now_us=NOW)
    [claimed] = await queue.claim(TOKEN, LEASE, [Grant(M, C, 2)], now_us=NOW)
    await queue.unserve(TOKEN - 1, [(M, C)], now_us=NOW)
    waiting = await queue.next_due(now_us=NOW)

    await queue.unserve(TOKEN, [(M, C)], now_us=NOW)
    await queue.settle([Settled(M, claimed.message, TOKEN, claimed.due_us)], now_us=NOW)

    assert (waiting, await queue.next_due(now_us=NOW)) == (NOW + 3_600 * SECOND, NOW)


async def test_last_service_is_only_raised(queue: Queue) -> None:
    """A rebuild restores the last service of lane and gate; an older one does not lower it."""
    await queue.configure_lane(M, C, LaneConfig(1, False, SECOND))
    await queue.enqueue(M, C, [(1, 1)], now_us=NOW)
    await queue.restore_service(M, C, NOW, now_us=NOW)
    await queue.restore_service(M, C, NOW - SECOND, now_us=NOW)

    assert await queue.next_due(now_us=NOW) == NOW + SECOND


async def test_a_pause_that_overtakes_a_resume_wins(queue: Queue) -> None:
    """Flags go by revision, not by arrival: the late resume of an older revision changes nothing."""
    await queue.enqueue(M, C, [(1, NOW)], now_us=NOW)
    paused = await queue.set_campaign(C, 8, True, now_us=NOW)
    resumed = await queue.set_campaign(C, 7, False, now_us=NOW)
    await queue.configure_lane(M, C, LaneConfig(7, False, 0), now_us=NOW)

    assert (paused, resumed, await queue.next_due(now_us=NOW)) == (True, False, None)


async def test_a_gate_ignores_an_older_revision_and_takes_the_same_again(queue: Queue) -> None:
    """A mailbox's configuration goes by the revision of its row."""
    await queue.enqueue(M, C, [(1, NOW)], now_us=NOW)
    written = [
        await queue.configure_gate(M, GateConfig(revision, paused, 0, 5), now_us=NOW)
        for revision, paused in [(2, True), (1, False), (2, True)]
    ]

    assert (written, await queue.next_due(now_us=NOW)) == ([True, False, True], None)


async def test_a_pause_that_overtakes_a_new_gap_does_not_lose_it(queue: Queue) -> None:
    """The gap of revision 7 arrives after the pause of revision 8, and holds after the resume of revision 9."""
    await queue.enqueue(M, C, [(1, NOW), (2, NOW)], now_us=NOW)
    await queue.set_campaign(C, 8, True, now_us=NOW)
    await queue.configure_lane(M, C, LaneConfig(7, False, SECOND), now_us=NOW)
    held = await queue.next_due(now_us=NOW)
    await queue.set_campaign(C, 9, False, now_us=NOW)
    due = await queue.due(5, now_us=NOW)

    assert (held, due.offers, due.next_us) == (None, [Offer(M, C, 1)], NOW + SECOND)


async def test_a_lane_that_appears_later_starts_paused_with_its_campaign(queue: Queue) -> None:
    """A campaign paused before a mailbox has anything of it is paused there too."""
    await queue.set_campaign(C, 8, True, now_us=NOW)
    await queue.enqueue(M, C, [(1, NOW)], now_us=NOW)
    held = await queue.next_due(now_us=NOW)
    await queue.set_campaign(C, 9, False, now_us=NOW)

    assert (held, await queue.next_due(now_us=NOW)) == (None, NOW)


async def test_a_cancelled_campaign_serves_nothing_any_more(queue: Queue) -> None:
    """Cancel empties all lanes, leaves what is in flight to be settled, and holds what comes late."""
    for mailbox in (M, OTHER_M):
        await queue.enqueue(mailbox, C, [(mailbox * 10 + i, NOW) for i in range(3)], now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW)
    await queue.cancel_campaign(C, 5, now_us=NOW)
    sizes = [await queue.lane_size(mailbox, C) for mailbox in (M, OTHER_M)]
    await queue.enqueue(M, C, [(999, NOW)], now_us=NOW)
    await queue.set_campaign(C, 4, False, now_us=NOW)

    assert sizes == [0, 0]
    assert await queue.settle([Settled(M, 110, TOKEN)], now_us=NOW) == 1
    assert await queue.next_due(now_us=NOW) is None


async def test_a_removed_gate_leaves_only_its_flight(queue: Queue, client: Redis) -> None:
    """Removing a mailbox removes its lanes, paused and parked ones too; what is in flight can still be settled."""
    for campaign in (C, OTHER_C):
        await queue.enqueue(M, campaign, [(campaign * 10 + i, NOW) for i in range(3)], now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW)
    await queue.configure_lane(M, OTHER_C, LaneConfig(1, True, 0), now_us=NOW)
    await queue.remove_gate(M, now_us=NOW)
    left = await client.keys(keys.prefix(0, 1) + "*")
    await queue.settle([Settled(M, 210, TOKEN)], now_us=NOW)

    assert sorted(left) == [f"{keys.prefix(0, 1)}{key}".encode() for key in (f"g:{M}:flight", "leases")]
    assert await client.keys(keys.prefix(0, 1) + "*") == []


async def test_a_token_settles_once(queue: Queue) -> None:
    """A message named twice in one call, and again in the next, leaves flight once; a stale token does nothing."""
    await queue.enqueue(M, C, [(1, NOW)], now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW)
    stale = await queue.settle([Settled(M, 1, TOKEN - 1, NOW)], now_us=NOW)
    twice = await queue.settle([Settled(M, 1, TOKEN, NOW + 1), Settled(M, 1, TOKEN)], now_us=NOW)

    assert (stale, twice, await queue.settle([Settled(M, 1, TOKEN)], now_us=NOW)) == (0, 1, 0)
    assert (await queue.lane_size(M, C), await queue.next_due(now_us=NOW)) == (1, NOW + 1)


async def test_what_is_in_flight_is_not_enqueued_again(queue: Queue) -> None:
    """A producer that repeats itself does not double a message in flight, nor one that waits."""
    items = [(1, NOW), (2, NOW)]
    first = await queue.enqueue(M, C, items, now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW)

    assert (first, await queue.enqueue(M, C, items, now_us=NOW), await queue.lane_size(M, C)) == (2, 0, 1)


@pytest.mark.parametrize("due_us", [0, 1, 1_790_000_000_123_457, MAX_DUE_US])
async def test_a_due_time_is_kept_to_the_microsecond(queue: Queue, due_us: int) -> None:
    """From the first instant that there is to the last that a score holds exactly."""
    await queue.enqueue(M, C, [(1, due_us)], now_us=0)
    taken = await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=MAX_DUE_US)

    assert [message.due_us for message in taken] == [due_us]


async def test_a_hand_over_lease_runs_out_unless_it_is_confirmed(queue: Queue) -> None:
    """Of two claims the confirmed one is not listed; the other one is, and stays in flight for Postgres to decide."""
    await queue.enqueue(M, C, [(1, NOW), (2, NOW)], now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 2)], now_us=NOW)
    await queue.confirm([(M, 1)])
    early = await queue.expired(10, now_us=NOW + LEASE - 1)
    expired = await queue.expired(10, now_us=NOW + LEASE)
    soon = await queue.expired(10, LEASE - 1, now_us=NOW + 1)

    assert (early, expired) == ([], [Expired(M, C, 2, TOKEN, NOW)])
    assert soon == expired
    assert len(await queue.flight(M)) == 2


async def test_ids_whose_bytes_look_like_separators_survive(queue: Queue) -> None:
    """A message id that contains the bytes of '|', newlines and zeros goes through flight and leases unharmed."""
    messages = [int.from_bytes(b"|\n\r|0|1|"), int.from_bytes(b"\0\0%d|9|1")]
    await queue.enqueue(M, C, [(message, NOW) for message in messages], now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 2)], now_us=NOW)
    expired = await queue.expired(10, now_us=NOW + LEASE)

    assert {item.message for item in expired} == set(messages)
    assert await queue.settle([Settled(M, message, TOKEN) for message in messages], now_us=NOW) == 2


async def test_adopted_messages_replace_what_the_queue_had(queue: Queue) -> None:
    """What Postgres has as SENDING is in flight under its token, without a lease and in no lane."""
    await queue.enqueue(M, C, [(1, NOW), (2, NOW)], now_us=NOW)
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW)
    await queue.adopt(M, C, [(1, NOW, 7), (2, NOW, 8)], now_us=NOW)

    assert [(flying.message, flying.token) for flying in await queue.flight(M)] == [(1, 7), (2, 8)]
    assert (await queue.lane_size(M, C), await queue.expired(10, now_us=NOW + LEASE)) == (0, [])
    assert await queue.settle([Settled(M, 1, TOKEN), Settled(M, 1, 7), Settled(M, 2, 8)], now_us=NOW) == 2


async def test_every_command_refuses_a_wiped_store(queue: Queue, client: Redis) -> None:
    """Without a sentinel nothing is read or written."""
    await client.flushall()
    for act in every_command(queue):
        with pytest.raises(QueueLost):
            await act

    assert (await queue.read_sentinel(), await client.dbsize()) == (None, 0)


async def test_every_command_refuses_a_stale_generation(queue: Queue, client: Redis) -> None:
    """Under another generation nothing is read or written, and the error names the one that is served."""
    await queue.write_sentinel(2, "other")
    for act in every_command(queue):
        with pytest.raises(StaleGeneration) as refused:
            await act
        assert refused.value.current == 2

    assert (await queue.read_sentinel(), await client.dbsize()) == (Sentinel(2, "other"), 1)


def every_command(queue: Queue) -> list[Any]:
    """A call of each script."""
    return [
        queue.due(1),
        queue.claim(TOKEN, LEASE, [Grant(M, C, 1)]),
        queue.confirm([(M, 1)]),
        queue.extend([(M, 1)], LEASE),
        queue.settle([Settled(M, 1, TOKEN, NOW)]),
        queue.expired(1),
        queue.enqueue(M, C, [(1, NOW)]),
        queue.adopt(M, C, [(1, NOW, TOKEN)]),
        queue.forget(M, C, [1]),
        queue.clear_lane(M, C),
        queue.remove_gate(M),
        queue.park_gate(M, "limit", NOW),
        queue.park_lane(M, C, "limit", NOW),
        queue.configure_gate(M, GateConfig(1, False, 0, 5)),
        queue.configure_lane(M, C, LaneConfig(1, False, 0)),
        queue.set_campaign(C, 1, True),
        queue.cancel_campaign(C, 1),
        queue.restore_service(M, C, NOW),
        queue.next_due(),
        queue.flight(M),
        queue.lane_size(M, C),
    ]


async def test_an_old_generation_is_dropped_whole_and_alone(queue: Queue, client: Redis) -> None:
    """Dropping a generation removes all its keys and no other's; the one in use cannot be dropped."""
    for mailbox in range(1, 1_200):
        await queue.enqueue(mailbox, C, [(mailbox, NOW)])
    await queue.write_sentinel(11, "run")
    queue.use(11)
    await queue.enqueue(M, C, [(1, NOW)])
    await queue.drop_generation(1)

    assert await client.keys("q:{0}:g1:*") == []
    assert await queue.lane_size(M, C) == 1
    with pytest.raises(ValueError, match="in use"):
        await queue.drop_generation(11)


async def test_only_an_earlier_instant_wakes(queue: Queue, client: Redis) -> None:
    """A waiter hears of what is due before anything else was, and of nothing that comes after."""
    channel, heard = keys.wake_channel(0), []
    async with client.pubsub() as subscription:
        await subscription.subscribe(channel)
        await anext(subscription.listen())
        for mailbox, due_us in [(M, NOW + 9), (OTHER_M, NOW + 20), (OTHER_M, NOW + 5), (M, NOW + 5), (M, NOW + 1)]:
            await queue.enqueue(mailbox, C, [(mailbox, due_us)], now_us=NOW)
            await client.publish(channel, "end")
            heard.append(await until_end(subscription))

    assert heard == [1, 0, 1, 0, 1]


async def until_end(subscription: PubSub) -> int:
    """How many messages come before one that says end."""
    count = 0
    async for message in subscription.listen():
        if message["data"] == b"end":
            break
        count += 1
    return count


async def test_lifting_a_park_wakes(queue: Queue) -> None:
    """A park that is lifted makes its gate due earlier, and whoever waits hears of it."""
    await queue.enqueue(M, C, [(1, NOW)], now_us=NOW)
    await queue.park_gate(M, "limit", NOW + SECOND, now_us=NOW)
    wakes = queue.wakes()
    await anext(wakes)
    await queue.park_gate(M, "limit", 0, now_us=NOW)

    await asyncio.wait_for(anext(wakes), 5)


async def test_standing_tells_what_waits_and_the_last_service(queue: Queue) -> None:
    """Of a lane that was served, and of one that never was."""
    await queue.enqueue(M, C, [(1, NOW), (2, NOW + 5), (3, NOW + 9)])
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1)], now_us=NOW + 1)

    served, unknown = await queue.standing([(M, C), (OTHER_M, C)])

    assert served == Standing(2, NOW + 5, NOW + 1, NOW + 1)
    assert unknown == Standing(0, None, None, None)


async def test_a_tally_tells_what_a_lane_holds_and_was_told(queue: Queue) -> None:
    """Of a lane that has messages waiting and in flight beside another's, and of one that was never told of."""
    await queue.configure_gate(M, GateConfig(7, False, 0, 9))
    await queue.configure_lane(M, C, LaneConfig(8, False, 0))
    await queue.enqueue(M, C, [(1, NOW), (2, NOW + 5), (3, NOW + 9)])
    await queue.enqueue(M, OTHER_C, [(4, NOW)])
    await queue.claim(TOKEN, LEASE, [Grant(M, C, 1), Grant(M, OTHER_C, 1)], now_us=NOW + 1)

    assert await queue.tally([(M, C), (OTHER_M, C)]) == [Tally(2, 1, 7, 8), Tally(0, 0, 0, 0)]


async def test_waiting_messages_are_found_by_place_and_places_by_message(queue: Queue) -> None:
    """In due order, and of several lanes at once."""
    await queue.enqueue(M, C, [(1, NOW + 3), (2, NOW + 1), (3, NOW + 2)])
    await queue.enqueue(OTHER_M, C, [(4, NOW)])

    assert await queue.waiting([(M, C, 1), (OTHER_M, C, 0)], 5) == [[3, 1], [4]]
    assert await queue.waiting([(M, C, 0)], 1) == [[2]]
    assert await queue.places([(M, C, 1), (M, C, 2), (OTHER_M, C, 1)]) == [2, 0, None]
