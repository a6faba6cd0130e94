"""From where a call came: what a service says of it, and nobody else."""

import pytest
from maillane_chassis.access import origin
from maillane_chassis.forwarding import ORIGIN, VOUCHER

from .conftest import KEY
from .echo import call, stream

CLIENT = "ipv4:192.0.2.7:4711"
TOKEN = ("authorization", "Bearer viewer")


async def where(text, context):
    return origin(context)


@pytest.mark.parametrize("client", [CLIENT, "ipv6:[2001:db8::7]:4711"])
async def test_a_channel_of_a_service_vouches_for_the_origin_that_it_tells(serve, connect, client):
    """Whosever credential the call carries."""
    channel = connect(await serve(where))

    assert await call(channel, "View", metadata=(TOKEN, (ORIGIN, client))) == client


async def test_streams_know_it_too(serve, connect):
    """Each in a task of its own."""
    channel = connect(await serve(where))

    answers = [answer.value async for answer in stream(channel, "Count", "n", metadata=(TOKEN, (ORIGIN, CLIENT)))]

    assert set(answers) == {CLIENT}


@pytest.mark.parametrize(
    "told",
    [
        [],
        [(ORIGIN, CLIENT)],
        [(ORIGIN, CLIENT), (VOUCHER, "another key, of some length, no doubt")],
        [(ORIGIN, CLIENT), (ORIGIN, "ipv4:192.0.2.8:1"), (VOUCHER, KEY)],
        [(ORIGIN, CLIENT), (VOUCHER, KEY), (VOUCHER, "another")],
        [(ORIGIN, "somewhere; DROP"), (VOUCHER, KEY)],
        [(ORIGIN, "ipv4:" + "1" * 100), (VOUCHER, KEY)],
        [(VOUCHER, KEY)],
    ],
)
async def test_what_is_not_vouched_for_is_passed_over(serve, connect, told):
    """The other end of the connection stands, as without it; so it does where what is told is no address."""
    # The inner channel is what any gRPC client has: it adds nothing.
    channel = connect(await serve(where))._inner

    assert (await call(channel, "View", metadata=(TOKEN, *told))).startswith("ipv4:127.0.0.1:")
