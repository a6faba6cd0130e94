"""The endpoint of metrics."""

import asyncio

import pytest
from maillane_chassis.metrics import MetricsEndpoint, serve_metrics
from prometheus_client import CollectorRegistry, Counter


@pytest.fixture
async def endpoint():
    registry = CollectorRegistry()
    Counter("nests_built", "Nests.", registry=registry).inc(3)
    endpoint = MetricsEndpoint("127.0.0.1", 0, registry)
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


async def ask(port, request):
    """Sends bytes, gives all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_metrics_are_served(endpoint):
    """In the text form that Prometheus reads."""
    answer = await ask(endpoint.port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")

    assert (answer.split(b"\r\n")[0], b"nests_built_total 3.0" in answer) == (b"HTTP/1.1 200 OK", True)


@pytest.mark.parametrize(
    ("request_line", "status"),
    [(b"GET / HTTP/1.1", b"404 Not Found"), (b"POST /metrics HTTP/1.1", b"405 Method Not Allowed")],
)
async def test_nothing_else_is_served(endpoint, request_line, status):
    """One path, one method."""
    answer = await ask(endpoint.port, request_line + b"\r\n\r\n")

    assert answer.split(b"\r\n")[0] == b"HTTP/1.1 " + status


async def test_an_endless_head_is_cut_off(endpoint):
    """The connection ends without an answer."""
    assert await ask(endpoint.port, b"GET /" + b"x" * 100_000) == b""


async def test_too_many_connections_are_cut_off(endpoint):
    """Those who say nothing keep their places until their time is up; the next is turned away at once."""
    silent = [await asyncio.open_connection("127.0.0.1", endpoint.port) for _ in range(16)]

    answer = await ask(endpoint.port, b"GET /metrics HTTP/1.1\r\n\r\n")
    for _, writer in silent:
        writer.close()

    assert answer == b""


async def test_port_0_means_no_endpoint(settings):
    """Metrics are off until a port is given."""
    async with serve_metrics(settings) as endpoint:
        assert endpoint is None
