"""What a claimed message needs to be sent: its mailbox's transport, its campaign's template, compiled for the two."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb

from maillane_sender.dispatch.recent import Recent
from maillane_sender.message import (
    BadValue,
    Compiled,
    Recipient,
    Sender,
    Signer,
    Source,
    compile_message,
    envelope,
    load_signer,
    render,
)
from maillane_sender.message.address import parse_address
from maillane_sender.smtp import Envelope, Security, Transport

if TYPE_CHECKING:
    from datetime import datetime

    from maillane_sender.dispatch.scheduler_client import SchedulerClient

MAX_TEMPLATES: Final = 64
"""Kept, as they came and compiled. More campaigns than that in the few messages held at once are asked for anew; at
2 MB for the largest, it bounds the memory."""

MAX_TRANSPORTS: Final = 1000
"""Kept: some hundred bytes each."""

_SECURITIES: Final = {
    mailbox_pb.SECURITY_TLS: Security.TLS,
    mailbox_pb.SECURITY_STARTTLS: Security.STARTTLS,
    mailbox_pb.SECURITY_NONE: Security.NONE,
}
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message, ready to be sent. `content` makes its bytes, given the time for its Date: it may raise BadValue."""

    transport: Transport
    envelope: Envelope
    content: Callable[[datetime], bytes]


@dataclass(frozen=True, slots=True)
class _Mailbox:
    """`signer` None: its messages are not signed."""

    transport: Transport
    sender: Sender
    signer: Signer | None


class Letters:
    """Makes letters. Asks the scheduler only for what it has not got, or has in an older revision than a message's."""

    def __init__(self, scheduler: SchedulerClient) -> None:
        self._scheduler = scheduler
        self._mailboxes: Recent[int, _Mailbox] = Recent(MAX_TRANSPORTS)
        self._templates: Recent[int, pb.GetTemplateResponse] = Recent(MAX_TEMPLATES)
        self._compiled: Recent[tuple[int, int, int, int], Compiled] = Recent(MAX_TEMPLATES)

    async def letter(self, message: pb.ClaimedMessage) -> Letter:
        """The letter of a message.

        Raises:
            grpc.aio.AioRpcError: the scheduler did not say what it takes.
            TemplateError: the template does not compile.
            BadValue: `from`: the mailbox's address is none, or its private key; otherwise the recipient's is.
        """
        mailbox = await self._mailbox(message.mailbox_id, message.transport_revision)
        template = await self._template(message.campaign_id, message.template_revision)
        compiled = self._compile(message, mailbox, template)
        address = mailbox.sender.address
        message_id = f"<{base36(message.message_id)}.{template.campaign_key}@{parse_address('from', address).domain}>"

        def content(now: datetime) -> bytes:
            recipient = Recipient(message.recipient, json.loads(message.variables.decode() or "{}"))
            return render(compiled, recipient, message_id, now, message.unsubscribe_url, mailbox.signer)

        return Letter(mailbox.transport, envelope(address, message.recipient), content)

    async def _mailbox(self, mailbox_id: int, revision: int) -> _Mailbox:
        found = self._mailboxes.get(mailbox_id)
        if found is None or found.transport.revision < revision:
            answer = await self._scheduler.transport(mailbox_id)
            sender = Sender(answer.address, answer.display_name)
            found = _Mailbox(_transport(mailbox_id, answer), sender, _signer(answer))
            self._mailboxes.put(mailbox_id, found)
        return found

    async def _template(self, campaign_id: int, revision: int) -> pb.GetTemplateResponse:
        found = self._templates.get(campaign_id)
        if found is None or found.revision < revision:
            found = await self._scheduler.template(campaign_id)
            self._templates.put(campaign_id, found)
        return found

    def _compile(self, message: pb.ClaimedMessage, mailbox: _Mailbox, template: pb.GetTemplateResponse) -> Compiled:
        key = (message.campaign_id, template.revision, message.mailbox_id, mailbox.transport.revision)
        found = self._compiled.get(key)
        if found is None:
            source = Source(template.subject, template.text, template.html)
            found = compile_message(source, mailbox.sender, test=template.test)
            self._compiled.put(key, found)
        return found


def base36(number: int) -> str:
    """A number in digits and small letters: short, and safe in a Message-ID."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def _signer(answer: pb.GetTransportResponse) -> Signer | None:
    if not answer.dkim_domain:
        return None
    try:
        return load_signer(answer.dkim_domain, answer.dkim_selector, answer.dkim_private_key)
    except ValueError as error:
        raise BadValue("from", f"DKIM: {error}") from None


def _transport(mailbox_id: int, answer: pb.GetTransportResponse) -> Transport:
    return Transport(
        host=answer.host,
        port=answer.port,
        security=_SECURITIES[answer.security],
        username=answer.username,
        password=answer.password,
        mailbox_id=str(mailbox_id),
        revision=answer.revision,
        max_connections=max(1, answer.max_connections),
    )
