"""The SMTP side: takes everything, but for two kinds of recipient that it refuses on purpose."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from maillane_local.catcher.store import Store

BOUNCE: Final = "bounce"
BOUNCED: Final = "550 5.1.1 No such mailbox here"
DEFER: Final = "defer"
DEFERRED: Final = "451 4.7.1 Try again later"
"""A recipient whose local part begins with one of these words is answered so."""

LONGEST_MAIL: Final = 10 * 1024 * 1024
"""Bytes; announced as SIZE."""

COMMANDS_A_SESSION: Final = 10_000_000
"""aiosmtpd ends a session after 20 commands of a kind unless it is told otherwise; ours last for whole campaigns."""

IDLE_S: Final = 300.0
"""How long a session may say nothing (RFC 5321 §4.5.3.2.7)."""


class Handler:
    """What is done with each command, by aiosmtpd's hooks."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        """Puts into `store` what comes, with the time it came."""
        self._store = store
        self._now = now

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Takes or refuses one recipient."""
        local_part = address.lower()
        if local_part.startswith(BOUNCE):
            return BOUNCED
        if local_part.startswith(DEFER):
            return DEFERRED
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keeps one mail."""
        content = envelope.original_content or b""
        mail = self._store.add(self._now(), envelope.mail_from or "", tuple(envelope.rcpt_tos), content)
        return f"250 2.0.0 Caught as {mail.id}"


async def listen(handler: Handler, host: str, port: int) -> asyncio.Server:
    """Begins to take mail.

    Raises:
        OSError: the port is in use.
    """
    loop = asyncio.get_running_loop()

    def session() -> Any:
        return SMTP(
            handler,
            hostname="catcher.localhost",
            ident="Maillane catcher",
            data_size_limit=LONGEST_MAIL,
            enable_SMTPUTF8=True,
            command_call_limit=COMMANDS_A_SESSION,
            timeout=IDLE_S,
            loop=loop,
        )

    return await loop.create_server(session, host, port)
