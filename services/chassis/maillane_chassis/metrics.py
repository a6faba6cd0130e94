"""Prometheus metrics of rpcs, and the endpoint that shows all metrics of the process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from maillane_chassis.settings import ServiceSettings

# From well below the fastest rpc to the longest of long polls.
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHOD = ("grpc_service", "grpc_method")

RPC_SECONDS: Final = Histogram(
    "grpc_server_handling_seconds", "Time until an rpc had ended on the server.", _METHOD, buckets=_BUCKETS_S
)
RPCS_HANDLED: Final = Counter("grpc_server_handled", "Rpcs that have ended, by code.", (*_METHOD, "grpc_code"))
RPCS_IN_FLIGHT: Final = Gauge("grpc_server_in_flight", "Rpcs that have begun and not ended.", _METHOD)


class MethodMetrics:
    """The metrics of one method, looked up once: finding them by their labels costs more than counting."""

    def __init__(self, path: str) -> None:
        service, _, name = path[1:].rpartition("/")
        self._names = (service, name)
        self.seconds = RPC_SECONDS.labels(service, name)
        self.in_flight = RPCS_IN_FLIGHT.labels(service, name)
        self._handled: dict[str, Counter] = {}

    def handled(self, code: str) -> Counter:
        """The counter of rpcs that ended with this code, by its name."""
        counter = self._handled.get(code)
        if counter is None:
            counter = self._handled[code] = RPCS_HANDLED.labels(*self._names, code)
        return counter


# One scraper asks once in some seconds; two or three of them and a person fit. More wait for nothing: they are cut off.
_MAX_CONNECTIONS = 16
# A request is a line and a few headers. Who has not sent them by then is no scraper.
_MAX_HEAD_BYTES = 8192
_REQUEST_S = 5.0


class MetricsEndpoint:
    """`GET /metrics` over HTTP/1.1, one request a connection, in the process's own loop: no threads, all bounded."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry = REGISTRY) -> None:
        self._host = host
        self._port = port
        self._registry = registry
        self._server: asyncio.Server | None = None
        self._open = 0

    async def start(self) -> None:
        """Begins to listen.

        Raises:
            OSError: the port is in use, or the host is not one of this machine.
        """
        self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=_MAX_HEAD_BYTES)

    @property
    def port(self) -> int:
        """The port that it listens on, also where 0 was asked for; only while it runs."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= _MAX_CONNECTIONS:
                async with asyncio.timeout(_REQUEST_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._answer(head))
                    await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # No scraper, or one that has gone: nothing to tell it.
        finally:
            self._open -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path != b"/metrics":
            return _response("404 Not Found", b"metrics are at /metrics\n", "text/plain")
        if method != b"GET":
            return _response("405 Method Not Allowed", b"", "text/plain")
        return _response("200 OK", generate_latest(self._registry), CONTENT_TYPE_LATEST)


@asynccontextmanager
async def serve_metrics(settings: ServiceSettings) -> AsyncIterator[MetricsEndpoint | None]:
    """Serves metrics on the settings' host and metrics port while the body runs; does nothing where the port is 0."""
    if settings.metrics_port == 0:
        yield None
        return
    endpoint = MetricsEndpoint(settings.host, settings.metrics_port)
    await endpoint.start()
    try:
        yield endpoint
    finally:
        await endpoint.stop()


def _response(status: str, body: bytes, content_type: str) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
