"""`python -m maillane_sender`: works until SIGTERM, then drains. Exit code 3 where another process has its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maillane_chassis import logs
from maillane_chassis.server import run
from maillane_chassis.settings import load

from maillane_sender.dispatch import End
from maillane_sender.sender import Sender
from maillane_sender.settings import Settings

if TYPE_CHECKING:
    import asyncio

EXIT_CODES: Final = {None: 0, End.FAILED: 1, End.REPLACED: 3}
"""Who restarts a replaced process at once would have two replace each other for ever: hence a code of its own."""


def main() -> None:
    """Runs one sender."""
    end: End | None = None

    async def serve(stop: asyncio.Event) -> None:
        nonlocal end
        settings = load(Settings)
        logs.configure(settings, "sender")
        end = await Sender(settings).serve(stop)

    run(serve)
    raise SystemExit(EXIT_CODES[end])


if __name__ == "__main__":
    main()
