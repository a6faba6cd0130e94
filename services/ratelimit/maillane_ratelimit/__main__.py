"""`python -m maillane_ratelimit`: serves until SIGTERM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import add_RateLimitServiceServicer_to_server
from maillane_chassis import logs
from maillane_chassis.metrics import serve_metrics
from maillane_chassis.server import Registration, Server, run
from maillane_chassis.settings import load

from maillane_ratelimit import readiness
from maillane_ratelimit.api.rate_limit import RateLimit
from maillane_ratelimit.counters.connection import open_client, translate
from maillane_ratelimit.counters.counters import Counters
from maillane_ratelimit.limiter import Limiter
from maillane_ratelimit.settings import Settings

if TYPE_CHECKING:
    import asyncio

_SERVICE = pb.DESCRIPTOR.services_by_name["RateLimitService"]
# Each hand-out makes one or two of these.
_QUIET = [f"/{_SERVICE.full_name}/{name}" for name in ("Reserve", "Refund")]


async def serve(stop: asyncio.Event) -> None:
    """Serves until the event is set; Redis may come later, and go."""
    settings = load(Settings)
    logs.configure(settings, "ratelimit")
    client = open_client(settings.redis_url.get_secret_value())
    servicer = RateLimit(Limiter(Counters(client)))
    registration = Registration(_SERVICE, add_RateLimitServiceServicer_to_server, servicer)
    server = Server(settings, settings.ratelimit_port, [registration], translate=translate, quiet=_QUIET)
    try:
        async with serve_metrics(settings):
            await server.start()
            structlog.get_logger(__name__).info("listening", port=server.port)
            await readiness.follow(client, server.set_serving, stop)
            await server.stop(settings.drain_s)
    finally:
        await client.aclose()


if __name__ == "__main__":
    run(serve)
