"""Tries a mail server as a campaign would, and says how far it came. Nothing is sent."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maillane_sender.smtp.connect import ConnectFailed, Connector, ConnectStage
from maillane_sender.smtp.transport import Security

if TYPE_CHECKING:
    from maillane_sender.smtp.reply import Reply
    from maillane_sender.smtp.transport import Transport

VERIFY_S = 15.0
"""For all steps: a person looks at the answer, and waits."""

MAX_AT_ONCE = 10
"""Each holds a connection for up to VERIFY_S: beside the transactions, whose mail must not wait for it."""


class Busy(Exception):
    """Too many are being tried now."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How far a connection came.

    Attributes:
        passed: steps that worked, in the order in which they were tried.
        failed: the step that did not; None: all did.
        reason: why, in one line; empty with `failed` None.
        reply: what the server said to that.
        certificate: it failed for the certificate's sake: OpenSSL's code of what is wrong with it; else None.
        tls: the version that is spoken, as "TLSv1.3"; empty without.
    """

    passed: tuple[ConnectStage, ...]
    failed: ConnectStage | None = None
    reason: str = ""
    reply: Reply | None = None
    certificate: int | None = None
    tls: str = ""


class Verifier:
    """Tries mail servers, a few at a time.

    Args:
        connector: one whose limit for connecting is at most VERIFY_S.
    """

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._free = MAX_AT_ONCE

    async def verify(self, transport: Transport) -> Tried:
        """Connects, encrypts, authenticates and says goodbye.

        Raises:
            Busy: MAX_AT_ONCE are being tried.
        """
        if not self._free:
            raise Busy
        self._free -= 1
        steps = _steps(transport)
        try:
            tls = await self._connector.try_out(transport)
        except ConnectFailed as failure:
            passed = steps[: steps.index(failure.stage)] if failure.stage in steps else ()
            return Tried(passed, failure.stage, failure.reason, failure.reply, _certificate(failure))
        finally:
            self._free += 1
        return Tried(steps, tls=tls)


def _steps(transport: Transport) -> tuple[ConnectStage, ...]:
    """What a connection goes through, in order."""
    middle = {
        Security.TLS: (ConnectStage.TLS, ConnectStage.EHLO),
        Security.STARTTLS: (ConnectStage.EHLO, ConnectStage.TLS),
        Security.NONE: (ConnectStage.EHLO,),
    }[transport.security]
    last = (ConnectStage.AUTH,) if transport.username else ()
    return (ConnectStage.RESOLVE, ConnectStage.CONNECT, *middle, *last)


def _certificate(failure: BaseException) -> int | None:
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_code
        cause = cause.__cause__ or cause.__context__
    return None
