"""What the queue keeps of a campaign is given back some time after its end."""

from maillane_scheduler.store import completion
from redis.asyncio import Redis

from .world import World


async def test_what_is_kept_of_an_ended_campaign_is_given_back(here: World, redis_url: str) -> None:
    """Ten minutes after its end nothing in Redis names it; another one of the same mailbox goes on."""
    mailbox = here.mailbox()
    ended, other = here.campaign([mailbox], 3, delay_us=1), here.campaign([mailbox], 3)
    await here.sweep()
    for _ in range(3):
        await here.settle(await here.claim(1))
    while here.sql("SELECT state FROM campaigns WHERE id = %s", ended) != [(4,)]:
        await here.settle(await here.claim(6))
        await here.sweep()
    here.sql("UPDATE campaigns SET end_time = end_time - interval '11 min' WHERE id = %s", ended)
    here.scheduler.sweeper._due_at["ended"] = 0
    await here.sweep()

    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        names = [name async for name in redis.scan_iter(f"*:c:{ended}*")]
        fields = [str(field) async for key in redis.scan_iter(f"*:g:{mailbox}") for field in await redis.hkeys(key)]
    assert names == []
    assert [field for field in fields if field.endswith(f":{ended}")] == []
    assert [field for field in fields if field.endswith(f":{other}")] != []


async def test_campaigns_that_end_at_one_instant_are_all_given_back(here: World) -> None:
    """As those do that one commit cancels: whoever was cut off behind the first goes on with the second."""
    both = [here.campaign([here.mailbox()], 1) for _ in range(2)]
    here.sql("UPDATE campaigns SET state = 5, end_time = now() - interval '11 min'")

    found = await completion.ended(here.scheduler.pool, None)
    rest = await completion.ended(here.scheduler.pool, (found[0][2], found[0][0]))

    assert [[campaign for campaign, *_ in page] for page in (found, rest)] == [both, both[1:]]


async def test_one_that_is_opened_again_is_as_it_was(here: World) -> None:
    """A retry after that finds its pace: the queue is told of the campaign anew."""
    mailbox = here.mailbox()
    campaign = here.campaign([mailbox], 2, delay_us=60_000_000, start="-1 hour")
    await here.sweep()
    await here.scheduler.queue.cancel_campaign(campaign, 1)
    assert await here.scheduler.queue.free_campaign(campaign, 1)
    here.sql(
        "INSERT INTO marks (campaign_id, mailbox_id, first_id, last_id, create_time) "
        "SELECT campaign_id, mailbox_id, min(id), max(id), now() - interval '1 hour' FROM messages GROUP BY 1, 2"
    )
    await here.sweep()

    assert [len((await here.claim(5)).rows) for _ in range(2)] == [1, 0]
