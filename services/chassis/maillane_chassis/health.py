"""gRPC's health protocol: whether this process, and each of its services, serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from grpc_health.v1 import health_pb2, health_pb2_grpc

from maillane_chassis.errors import NotFound, ResourceExhausted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    import grpc

_Status = health_pb2.HealthCheckResponse
# Watching is open to all, so it is bounded: each watch holds one of the server's places for rpcs.
MAX_WATCHES = 64


class Health(health_pb2_grpc.HealthServicer):
    """States by service name, "" for the whole; not serving until told otherwise.

    Unlike the servicer of grpc_health it can end its watches, which would otherwise hold a graceful stop for its grace.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._states: dict[str, int] = dict.fromkeys(("", *services), _Status.NOT_SERVING)
        # Replaced at each change, so that a watch that is slow to look misses none.
        self._changed = asyncio.Event()
        self._watches = 0
        self._ended = False

    def set_serving(self, serving: bool) -> None:
        """Tells all states; after `end` it changes nothing."""
        if not self._ended:
            self._set(serving=serving)

    def end(self) -> None:
        """Turns all states to not serving for good, and ends every watch once it has told so."""
        self._ended = True
        self._set(serving=False)

    def _set(self, *, serving: bool) -> None:
        state = _Status.SERVING if serving else _Status.NOT_SERVING
        self._states = dict.fromkeys(self._states, state)
        self._changed.set()
        self._changed = asyncio.Event()

    async def Check(  # noqa: N802 - the rpc's name
        self, request: health_pb2.HealthCheckRequest, _context: grpc.aio.ServicerContext[Any, Any]
    ) -> health_pb2.HealthCheckResponse:
        """The state of one service.

        Raises:
            NotFound: there is no such service here.
        """
        state = self._states.get(request.service)
        if state is None:
            raise NotFound("there is no such service here", reason="SERVICE_UNKNOWN")
        return _Status(status=state)

    async def Watch(  # noqa: N802 - the rpc's name
        self, request: health_pb2.HealthCheckRequest, _context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """The state of one service now, and whenever it changes, until `end`.

        Raises:
            ResourceExhausted: there are MAX_WATCHES already.
        """
        if self._watches >= MAX_WATCHES:
            raise ResourceExhausted("too many watches", reason="TOO_MANY_WATCHES")
        self._watches += 1
        try:
            told: int | None = None
            while True:
                changed = self._changed
                state = self._states.get(request.service, _Status.SERVICE_UNKNOWN)
                if state != told:
                    yield _Status(status=state)
                    told = state
                if self._ended:
                    return
                await changed.wait()
        finally:
            self._watches -= 1
