"""The gateway's process: `python -m maillane_gateway`."""

import asyncio

import structlog
from maillane_chassis import logs
from maillane_chassis.channel import open_channel
from maillane_chassis.metrics import serve_metrics
from maillane_chassis.server import run
from maillane_chassis.settings import load

from maillane_gateway import app
from maillane_gateway.server import HttpServer
from maillane_gateway.settings import GatewaySettings


async def serve(settings: GatewaySettings, stop: asyncio.Event) -> None:
    """Serves until `stop` is set, then lets what is open end."""
    # Its own credential opens nothing here: each call carries the token of the user that it is for. It only vouches for
    # from where that user called.
    channel = open_channel(settings.scheduler_target, settings, service=False, idempotent=app.REPEATABLE)
    sender = open_channel(settings.sender_target, settings, service=False)
    async with channel, sender, serve_metrics(settings):
        server = HttpServer(
            app.build(channel, sender, settings, stop), settings.host, settings.gateway_port, drain_s=settings.drain_s
        )
        await server.start()
        structlog.get_logger().info("gateway_started", port=server.port)
        await stop.wait()
        await server.stop()
        structlog.get_logger().info("gateway_stopped")


def main() -> None:
    """Reads the settings and runs the process."""
    settings = load(GatewaySettings)
    logs.configure(settings, "gateway")
    run(lambda stop: serve(settings, stop))


if __name__ == "__main__":
    main()
