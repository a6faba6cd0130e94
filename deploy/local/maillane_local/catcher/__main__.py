"""`python -m maillane_local.catcher`: runs the catcher until SIGTERM or SIGINT."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import uvicorn

from maillane_local.catcher import web
from maillane_local.catcher.smtp import Handler, listen
from maillane_local.catcher.store import Store
from maillane_local.ports import LOOPBACK
from maillane_local.settings import LocalSettings

CLOSE_S: Final = 2
"""How long open requests may take when it ends."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to `main`, which has two servers to stop."""
        yield


async def main(settings: LocalSettings) -> None:
    """Takes mail and shows it until it is asked to end."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = Store()
    config = uvicorn.Config(
        web.app(store), access_log=False, log_level="warning", timeout_graceful_shutdown=CLOSE_S, lifespan="off"
    )
    pages = _Server(config)
    with _bound(settings.catcher_web_port) as sock:
        serving = asyncio.create_task(pages.serve(sockets=[sock]))
        # Mail last: who can connect there finds all the rest working.
        mail = await listen(Handler(store, lambda: datetime.now(UTC)), LOOPBACK, settings.catcher_smtp_port)
        await stop.wait()
        mail.close()
        pages.should_exit = True
        await serving


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((LOOPBACK, port))
    return sock


if __name__ == "__main__":
    try:
        asyncio.run(main(LocalSettings()))
    except OSError as error:
        sys.exit(f"the catcher cannot listen: {error}")
