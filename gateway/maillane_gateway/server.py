"""The HTTP server: uvicorn on a socket of ours, with limits that it lacks, in the life of our process."""

import asyncio
import contextlib
import math
import socket
from collections.abc import Iterator
from typing import Any

import h11
import uvicorn
from google.rpc import code_pb2, status_pb2
from maillane_chassis.server import ListenError
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from maillane_gateway.http.app import MAX_HEAD_BYTES
from maillane_gateway.http.problem import error_json

HEAD_S = 10.0
"""From the first byte of a request (or the connection) to the end of its headers."""

KEEP_ALIVE_S = 75
"""Longer than the proxies that stand in front keep theirs (60 s), so that they close first and lose no request."""

BACKLOG = 1024


class HttpServer:
    """Serves one application until it is stopped."""

    def __init__(self, app: ASGIApp, host: str, port: int, *, drain_s: float) -> None:
        self._host = host
        self._port = port
        self._server = _Server(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                lifespan="off",
                loop="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=MAX_HEAD_BYTES,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=math.ceil(drain_s),
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to serve.

        Raises:
            ListenError: the port is in use, or the host is not one of this machine.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            listener = socket.create_server((self._host, self._port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise ListenError(f"cannot listen on {self._host}:{self._port}: {error.strerror}") from error
        self._port = listener.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))

    @property
    def port(self) -> int:
        """The port that it listens on, also where 0 was asked for."""
        return self._port

    async def stop(self) -> None:
        """Takes no more, and gives what is open the time to end."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving


class _Server(uvicorn.Server):
    """Leaves signals to the process's own rule."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Protocol(H11Protocol):
    """Ends connections whose headers take too long to come, and says in JSON what no request is.

    Uvicorn's own time-out stands between requests; one that begins and never ends would hold its connection for good.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            if self._head_timer is None and not self.transport.is_closing():
                self._await_head()
        else:
            self._head_came()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        status = status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="this is no HTTP request")
        error = error_json(status)
        headers = [("content-type", "application/json"), ("connection", "close"), ("content-length", str(len(error)))]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=error), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_S, self.timeout_keep_alive_handler)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
