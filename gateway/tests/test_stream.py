"""Server streams as events."""

import asyncio
import json
from typing import Any

import pytest
from maillane.scheduler.v1.campaign_service_pb2 import Campaign, WatchCampaignResponse
from maillane_chassis.errors import NotFound, Unavailable
from maillane_gateway.transcode import endpoints, stream

from .conftest import running

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/campaigns/7:watch"


def change(state: Any) -> WatchCampaignResponse:
    return WatchCampaignResponse(campaign=Campaign(id="7", state=state))


async def test_each_message_is_an_event(client, scheduler):
    """Its data is the response's JSON, on one line; the stream ends with the call."""
    scheduler.answers["WatchCampaign"] = [change(2), change(4)]

    response = await client.get(PATH)

    events = [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line]
    assert [event["campaign"]["state"] for event in events] == ["CAMPAIGN_STATE_ACTIVE", "CAMPAIGN_STATE_COMPLETED"]
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"


async def test_events_come_when_they_happen(client, scheduler):
    """The first is there before the second has happened."""
    gate = asyncio.Event()
    scheduler.answers["WatchCampaign"] = [change(2), gate, change(4)]

    async with client.stream("GET", PATH) as response:
        lines = response.aiter_lines()
        first = await anext(lines)
        gate.set()
        rest = [line async for line in lines if line]

    assert "CAMPAIGN_STATE_ACTIVE" in first
    assert len(rest) == 1


async def test_a_stream_that_fails_at_once_is_an_error_like_any(client, scheduler):
    """404, not an empty stream."""
    scheduler.answers["WatchCampaign"] = [NotFound("no such campaign")]

    response = await client.get(PATH)

    assert (response.status_code, response.json()["error"]["message"]) == (404, "no such campaign")


async def test_a_stream_that_fails_later_ends_with_an_event(client, scheduler):
    """Named error, with the body of one."""
    scheduler.answers["WatchCampaign"] = [change(2), Unavailable("the store does not answer")]

    response = await client.get(PATH)

    _, last, _ = response.text.split("\n\n")
    name, data = last.split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["error"]["status"] == "UNAVAILABLE"


async def test_silence_is_broken_by_comments(client, scheduler, monkeypatch):
    """So that proxies keep the connection."""
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.05)
    gate = asyncio.Event()
    scheduler.answers["WatchCampaign"] = [change(2), gate]

    async with client.stream("GET", PATH) as response:
        lines = response.aiter_lines()
        while not (line := await anext(lines)).startswith(":"):
            pass
        gate.set()

    assert line == ": heartbeat"


async def test_a_stream_that_says_nothing_at_first_is_a_stream_all_the_same(client, scheduler, monkeypatch):
    """Its headers do not wait for its first message."""
    monkeypatch.setattr(endpoints, "FIRST_EVENT_S", 0.05)
    gate = asyncio.Event()
    scheduler.answers["WatchCampaign"] = [gate, change(2)]

    async with client.stream("GET", PATH) as response:
        gate.set()
        lines = [line async for line in response.aiter_lines() if line]

    assert len(lines) == 1


async def test_a_client_that_leaves_cancels_the_call(client, scheduler):
    """The scheduler watches for nobody."""
    scheduler.answers["WatchCampaign"] = [change(2), asyncio.Event()]

    async with client.stream("GET", PATH) as response:
        await anext(response.aiter_lines())

    await asyncio.wait_for(scheduler.ended.wait(), 5)


async def test_head_opens_no_stream(client, scheduler):
    """It would never end."""
    response = await client.head(PATH)

    assert response.status_code == 200
    assert not scheduler.asked


async def test_a_gateway_that_stops_ends_its_streams():
    """A stop does not wait for watches."""
    async with running() as gateway:
        gateway.scheduler.answers["WatchCampaign"] = [change(2), asyncio.Event()]
        async with gateway.client.stream("GET", PATH) as response:
            lines = response.aiter_lines()
            await anext(lines)
            gateway.stopping.set()

            rest = [line async for line in lines if line]

    assert rest == []
