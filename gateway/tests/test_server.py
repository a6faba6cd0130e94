"""The server, its limits, and what stands on every answer."""

import asyncio
import json
import re
import time

import httpx
import pytest
import structlog
from maillane.scheduler.v1.campaign_service_pb2 import WatchCampaignResponse
from maillane_chassis.channel import open_channel
from maillane_chassis.server import ListenError, Server
from maillane_gateway import app, server
from maillane_gateway.http import app as http_app
from maillane_gateway.server import HttpServer
from maillane_gateway.transcode import request as transcode_request
from prometheus_client import REGISTRY

from .conftest import make_settings, running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def raw(port: int, data: bytes) -> bytes:
    """What comes back for these bytes, until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


@pytest.mark.parametrize("path", ["/v1/identity", "/healthz", "/nothing"])
async def test_headers_that_every_answer_has(client, scheduler, path):
    """Errors as well."""
    response = await client.get(path)

    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assert "server" not in response.headers


async def test_a_request_id_is_echoed(client, scheduler):
    """Where it can stand in a log."""
    response = await client.get("/healthz", headers={"x-request-id": "Trace:1.a_b-2"})

    assert response.headers["x-request-id"] == "Trace:1.a_b-2"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>"])
async def test_another_request_id_is_replaced(client, scheduler, given):
    """By a new one."""
    response = await client.get("/healthz", headers={"x-request-id": given})

    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])


async def test_health_and_readiness(gateway, scheduler):
    """Both without a token; only readiness asks the scheduler."""
    async with httpx.AsyncClient(base_url=gateway.client.base_url) as probe:
        assert (await probe.get("/healthz")).status_code == 200
        assert (await probe.get("/readyz")).status_code == 200
        gateway.scheduler_server.set_serving(False)
        unready = await probe.get("/readyz")
        alive = await probe.get("/healthz")
        gateway.scheduler_server.set_serving(True)

    assert (unready.status_code, alive.status_code) == (503, 200)
    assert unready.json()["error"]["message"] == "the scheduler says NOT_SERVING"


async def test_a_scheduler_that_is_down_is_503_within_two_seconds():
    """Reads and writes alike, and no address is named."""
    async with running() as gateway:
        await gateway.scheduler_server.stop(0)
        start_s = time.monotonic()
        read, write, ready = await asyncio.gather(
            gateway.client.get("/v1/campaigns"),
            gateway.client.post("/v1/campaigns", json={}),
            gateway.client.get("/readyz"),
        )
        took_s = time.monotonic() - start_s

    assert {read.status_code, write.status_code, ready.status_code} == {503}
    assert took_s < 2
    assert "127.0.0.1" not in read.text + write.text + ready.text


async def test_a_scheduler_that_says_nothing_at_all_is_503_within_two_seconds():
    """A listener that accepts and is silent, as a host behind a firewall would be."""
    silent = await asyncio.start_server(lambda _reader, _writer: asyncio.sleep(5), "127.0.0.1", 0)
    settings = make_settings()
    port = silent.sockets[0].getsockname()[1]
    async with open_channel(f"127.0.0.1:{port}", settings, service=False) as channel:
        http = HttpServer(app.build(channel, channel, settings, asyncio.Event()), "127.0.0.1", 0, drain_s=1)
        await http.start()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{http.port}") as client:
            start_s = time.monotonic()
            response = await client.get("/v1/campaigns", headers={"authorization": "Bearer x"})
            took_s = time.monotonic() - start_s
        await http.stop()
    silent.close()

    assert response.status_code == 503
    assert took_s < 2


async def test_a_scheduler_that_restarts_is_waited_for():
    """A write that comes in between is made once, on the new one."""
    async with running() as gateway:
        await gateway.scheduler_server.stop(0)
        write = asyncio.create_task(gateway.client.post("/v1/campaigns", json={}))
        settings, fake = make_settings(), gateway.scheduler
        again = Server(settings, gateway.scheduler_server.port, fake.registrations(), authenticate=fake.authenticate)
        await again.start()
        response = await write
        await again.stop(0)

    assert response.status_code == 200
    assert len(fake.asked["CreateCampaign"]) == 1


@pytest.mark.parametrize("said", [True, False])
async def test_a_body_that_is_too_large(client, scheduler, said):
    """413, whether its length is said or found; the client that still sends gets to see it."""
    content = b'{"name": "' + b"x" * 4_000_000 + b'"}'

    async def stream():
        yield content

    headers = {"content-type": "application/json"}
    response = await client.post("/v1/campaigns", content=content if said else stream(), headers=headers)

    assert (response.status_code, response.json()["error"]["message"]) == (413, "the body is larger than 2 MiB")
    assert not scheduler.asked


@pytest.mark.parametrize("head", [{"headers": {"x-a": "a" * 40_000}}, {"params": {"pageToken": "a" * 40_000}}])
async def test_a_head_that_is_too_large(client, scheduler, head):
    """431, also where it comes in one piece."""
    response = await client.get("/v1/campaigns", **head)

    assert response.status_code in {400, 431}
    assert not scheduler.asked


async def test_a_body_that_does_not_end(gateway, scheduler, monkeypatch):
    """408."""
    monkeypatch.setattr(transcode_request, "BODY_S", 0.2)
    monkeypatch.setattr("maillane_gateway.http.body.MAX_DRAIN_S", 0.1)
    head = f"POST /v1/campaigns HTTP/1.1\r\nHost: x\r\nAuthorization: {gateway.client.headers['authorization']}\r\n"

    answer = await raw(gateway.port, head.encode() + b"Content-Length: 100\r\n\r\n{")

    assert answer.startswith(b"HTTP/1.1 408")


async def test_who_asks_before_sending_is_refused_before_sending(gateway, scheduler):
    """Expect: 100-continue, as curl does for large files: no leave is given for what is refused anyway."""
    head = b"POST /v1/campaigns/7/recipients:import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"

    answer = await raw(gateway.port, head + b"Expect: 100-continue\r\nContent-Length: 100000000\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000])
async def test_what_is_no_request(gateway, scheduler, data):
    """400 in JSON, and the end of the connection; headers beyond the limit too."""
    answer = await raw(gateway.port, data)

    assert answer.startswith(b"HTTP/1.1 400")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("start", [b"", b"GET /healthz HTTP/1.1\r\nHost:"])
async def test_headers_that_never_end(gateway, scheduler, start, monkeypatch):
    """The connection is closed."""
    monkeypatch.setattr(server, "HEAD_S", 0.2)

    assert await raw(gateway.port, start) == b""


async def test_headers_that_never_end_on_a_connection_that_was_used(gateway, scheduler, monkeypatch):
    """The connection is closed as well."""
    monkeypatch.setattr(server, "HEAD_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"}")

    writer.write(b"GET /heal")

    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_requests_beyond_the_cap_are_asked_to_come_back():
    """503 with Retry-After; probes are answered all the same, and streams count while they last."""
    async with running(max_requests=1) as gateway:
        client, scheduler = gateway.client, gateway.scheduler
        scheduler.answers["WatchCampaign"] = [WatchCampaignResponse(), asyncio.Event()]
        async with client.stream("GET", "/v1/campaigns/7:watch"):
            refused = await client.get("/v1/identity")
            probe = await client.get("/healthz")
        await scheduler.ended.wait()
        while (after := await client.get("/v1/identity")).status_code == 503:
            await asyncio.sleep(0.01)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert (probe.status_code, after.status_code) == (200, 200)


async def test_a_port_in_use_is_one_clear_error(gateway):
    """For one line on stderr."""
    second = HttpServer(
        app.build(gateway.channel, gateway.channel, make_settings(), asyncio.Event()),
        "127.0.0.1",
        gateway.port,
        drain_s=1,
    )

    with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{gateway.port}: Address already in use"):
        await second.start()


async def test_an_endpoint_that_breaks_is_a_bare_500_and_a_logged_traceback(client, scheduler, monkeypatch):
    """The answer has the id by which the log knows it."""
    monkeypatch.setattr(http_app, "response_to", lambda error: None)

    with structlog.testing.capture_logs() as logs:
        response = await client.get("/nothing", headers={"x-request-id": "id-7"})

    assert response.status_code == 500
    assert response.json()["error"]["message"] == "something went wrong here; the logs know it as id-7"
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["http_request_failed"]


async def test_the_log_has_one_line_without_queries_and_addresses(client, scheduler):
    """The route stands for the path."""
    with structlog.testing.capture_logs() as logs:
        await client.delete("/v1/suppressions/ann%40example.com?x=secret")

    [entry] = [entry for entry in logs if entry["event"] == "http_request"]
    assert (entry["verb"], entry["route"], entry["code"]) == ("DELETE", "/v1/suppressions/{email}", 400)
    assert "ann" not in str(logs)
    assert "secret" not in str(logs)


async def test_the_log_is_quiet_of_probes_and_not_of_sign_ins(client, scheduler):
    """Neither asks for a token."""
    with structlog.testing.capture_logs() as logs:
        for path in ("/healthz", "/auth/sign-in"):
            await client.get(path)

    levels = {entry["route"]: entry["log_level"] for entry in logs if entry["event"] == "http_request"}
    assert levels == {"/healthz": "debug", "/auth/sign-in": "info"}


async def test_metrics_are_by_route(client, scheduler):
    """What clients make up is one label."""

    def handled(**labels: str) -> float:
        return REGISTRY.get_sample_value("http_server_handled_total", labels) or 0.0

    known = {"http_verb": "GET", "http_route": "/v1/campaigns/{campaign_id}", "http_code": "200"}
    unknown = {"http_verb": "OTHER", "http_route": "none", "http_code": "404"}
    before = handled(**known), handled(**unknown)

    await client.get("/v1/campaigns/123")
    await client.request("BREW", "/coffee")

    assert (handled(**known) - before[0], handled(**unknown) - before[1]) == (1, 1)
