"""Server streams of HttpBody as files."""

import asyncio

import httpx
import pytest
from google.api.httpbody_pb2 import HttpBody
from maillane.scheduler.v1.message_service_pb2 import ExportMessagesResponse
from maillane_chassis.errors import NotFound, Unavailable

from .conftest import running

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/messages:export"


def part(data: bytes) -> ExportMessagesResponse:
    return ExportMessagesResponse(body=HttpBody(content_type="text/csv; charset=utf-8", data=data))


async def test_a_file_is_its_bytes(client, scheduler):
    """Not JSON, not events; with its type, and a name to save it under."""
    scheduler.answers["ExportMessages"] = [part(b"a,b\r\n"), part(b"1,2\r\n")]

    response = await client.get(PATH, params={"query": "joan"})

    assert response.content == b"a,b\r\n1,2\r\n"
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="messages.csv"'
    assert scheduler.asked["ExportMessages"][0].query == "joan"


async def test_a_file_that_fails_at_once_is_an_error_like_any(client, scheduler):
    """404, in JSON."""
    scheduler.answers["ExportMessages"] = [NotFound("no such campaign")]

    response = await client.get(PATH)

    assert (response.status_code, response.json()["error"]["message"]) == (404, "no such campaign")


async def test_a_file_that_fails_later_is_cut_off(client, scheduler):
    """Nobody takes half a file for the whole."""
    scheduler.answers["ExportMessages"] = [part(b"a,b\r\n"), Unavailable("the store does not answer")]

    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(PATH)


async def test_a_client_that_leaves_ends_the_call(client, scheduler):
    """The scheduler reads for nobody."""
    scheduler.answers["ExportMessages"] = [part(b"a,b\r\n"), asyncio.Event()]

    async with client.stream("GET", PATH) as response:
        await anext(response.aiter_bytes())

    await asyncio.wait_for(scheduler.ended.wait(), 5)


async def test_a_gateway_that_stops_cuts_files_off():
    """A stop does not wait for downloads."""
    async with running() as gateway:
        gateway.scheduler.answers["ExportMessages"] = [part(b"a,b\r\n"), asyncio.Event()]
        async with gateway.client.stream("GET", PATH) as response:
            chunks = response.aiter_bytes()
            await anext(chunks)
            gateway.stopping.set()

            with pytest.raises(httpx.RemoteProtocolError):
                await anext(chunks)
