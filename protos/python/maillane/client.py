"""The typed client for services: one channel with a token, the stubs of the public services, and errors that say why.

    async with connect("127.0.0.1:50051", token) as maillane:
        created = await maillane.campaigns.CreateCampaign(CreateCampaignRequest(campaign=Campaign(name="Spring")))

Calls are those of the generated stubs, with their types. Each that is refused raises a `MaillaneError`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import grpc
from google.api import annotations_pb2
from google.rpc import error_details_pb2, status_pb2

from maillane.scheduler.v1 import (
    campaign_service_pb2,
    identity_service_pb2,
    mailbox_service_pb2,
    message_service_pb2,
    suppression_service_pb2,
)
from maillane.scheduler.v1.audit_service_pb2_grpc import AuditServiceStub
from maillane.scheduler.v1.campaign_service_pb2 import ImportRecipientsRequest, ImportRecipientsResponse, Recipient
from maillane.scheduler.v1.campaign_service_pb2_grpc import CampaignServiceStub
from maillane.scheduler.v1.identity_service_pb2_grpc import IdentityServiceStub
from maillane.scheduler.v1.mailbox_service_pb2_grpc import MailboxServiceStub
from maillane.scheduler.v1.message_service_pb2_grpc import MessageServiceStub
from maillane.scheduler.v1.suppression_service_pb2_grpc import SuppressionServiceStub

if TYPE_CHECKING:
    from google.api.http_pb2 import HttpRule
    from google.protobuf.descriptor import MethodDescriptor

Rows: TypeAlias = Iterable[Mapping[str, object]] | AsyncIterable[Mapping[str, object]]
"""Recipients to import: each with `email`, and with any variables."""

CALL_S: Final = 10.0
"""The deadline of a unary call that is given none: far above what any of them takes in good health."""

IMPORT_S: Final = 3600.0
"""For a whole import: ten million recipients take some minutes."""

CHUNK_ROWS: Final = 10_000
"""Recipients in one chunk, as many as the service takes: a chunk's own cost is then shared by most."""

CHUNK_BYTES: Final = 1024 * 1024
"""A chunk is sent once it is as large: a fourth of what a message may have, and more than any one recipient."""

# Five tries, which with these back-offs span about two seconds: a restart, not an outage.
_RETRY: Final = {
    "maxAttempts": 5,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
_FILES: Final = (
    campaign_service_pb2,
    identity_service_pb2,
    mailbox_service_pb2,
    message_service_pb2,
    suppression_service_pb2,
)
_STATUS_KEY: Final = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Violation:
    """One bad field: its path in the request, and what is allowed, in words."""

    field: str
    description: str


class MaillaneError(grpc.aio.AioRpcError):
    """A call that was refused or did not get through; `code()` and `details()` are gRPC's.

    Attributes:
        reason: for programs, `CAMPAIGN_EMPTY` and the like; empty where no service of Maillane answered.
        metadata: what makes the reason precise.
        violations: the fields that are wrong, all that were found.
        retry_after_s: how long to wait before the same call is repeated; None where nothing was said.
    """

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        super().__init__(
            error.code(),
            error.initial_metadata(),
            error.trailing_metadata(),
            error.details(),
            error.debug_error_string(),
        )
        self.reason = ""
        self.metadata: dict[str, str] = {}
        self.violations: tuple[Violation, ...] = ()
        self.retry_after_s: float | None = None
        for detail in _status(error).details:
            self._read(detail)

    def _read(self, detail: Any) -> None:
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            self.reason, self.metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(request):
            self.violations = tuple(Violation(each.field, each.description) for each in request.field_violations)
        elif detail.Unpack(retry):
            self.retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()

    def __str__(self) -> str:
        head = f"{self.code().name} {self.reason}".rstrip()
        fields = "".join(f"\n  {each.field}: {each.description}" for each in self.violations)
        return f"{head}: {self.details()}{fields}"


class Client:
    """The public services, over one channel.

    Attributes:
        campaigns: CampaignService.
        mailboxes: MailboxService.
        messages: MessageService.
        identity: IdentityService.
        suppressions: SuppressionService.
        audit: AuditService.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.campaigns = CampaignServiceStub(channel)
        self.mailboxes = MailboxServiceStub(channel)
        self.messages = MessageServiceStub(channel)
        self.identity = IdentityServiceStub(channel)
        self.suppressions = SuppressionServiceStub(channel)
        self.audit = AuditServiceStub(channel)

    async def import_recipients(
        self,
        campaign_id: str,
        rows: Rows,
        *,
        timeout_s: float = IMPORT_S,
    ) -> ImportRecipientsResponse:
        """Adds recipients to a campaign, in chunks, as fast as the service takes them; memory stays flat.

        A row has `email` and any variables; one whose value is None is left out. Rejected rows come back by their
        place, from 1. Safe to repeat: an address that the campaign has already is counted as a duplicate.

        Raises:
            MaillaneError: the import was refused or cut off. What was accepted before stays.
        """
        call = self.campaigns.ImportRecipients(timeout=timeout_s)
        try:
            async for chunk in _chunks(rows):
                if not await _written(call, ImportRecipientsRequest(campaign_id=campaign_id, recipients=chunk)):
                    break
            await call.done_writing()
            return await call
        finally:
            # Where the rows raised, or the caller was cancelled; a call that is over is not changed.
            call.cancel()


@asynccontextmanager
async def connect(
    target: str, token: str, *, tls: grpc.ChannelCredentials | None = None, timeout_s: float = CALL_S
) -> AsyncIterator[Client]:
    """A client while the body runs. It connects with its first call, and again whenever it must.

    Args:
        target: `host:port` of the scheduler, or any name that gRPC resolves; calls go round over all its addresses.
        token: the secret of an API token.
        tls: `grpc.ssl_channel_credentials(…)`, with a certificate of one's own where the deployment asks for one. None:
            plaintext, in which the token can be read on the way: for loopback, or a network that encrypts by itself.
        timeout_s: the deadline of unary calls that bring none. Streams have the one that they are given, or none.
    """
    options = (("grpc.service_config", json.dumps(_service_config())),)
    channel = (
        grpc.aio.insecure_channel(target, options=options)
        if tls is None
        else grpc.aio.secure_channel(target, tls, options=options)
    )
    async with channel:
        yield Client(_Channel(channel, f"Bearer {token}", timeout_s))


class _Channel(grpc.aio.Channel):
    """A channel whose calls carry the token, have a deadline, and raise `MaillaneError`.

    Not by interceptors of grpc.aio: they start a task for each call, and each of the four kinds needs one of its own.
    """

    def __init__(self, inner: grpc.aio.Channel, authorization: str, timeout_s: float) -> None:
        self._inner = inner
        self._metadata = (("authorization", authorization),)
        self._timeout_s = timeout_s

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._completed(self._inner.unary_unary(method, *args, **kwargs), self._timeout_s)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._completed(self._inner.unary_stream(method, *args, **kwargs), None)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._completed(self._inner.stream_unary(method, *args, **kwargs), None)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._completed(self._inner.stream_stream(method, *args, **kwargs), None)

    def _completed(self, call: Any, default_s: float | None) -> Any:
        def start(request: Any = None, *, timeout: float | None = None, metadata: Any = (), **kwargs: Any) -> Any:
            timeout = timeout if timeout is not None else default_s
            return _Call(call(request, timeout=timeout, metadata=(*self._metadata, *(metadata or ())), **kwargs))

        return start

    async def close(self, grace: float | None = None) -> None:
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._inner.channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Call:
    """A call as grpc.aio makes it, of which the failures are ours."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            return (yield from self._call.__await__())
        except grpc.aio.AioRpcError as error:
            raise MaillaneError(error) from None

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            async for message in self._call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise MaillaneError(error) from None


async def _written(call: Any, chunk: ImportRecipientsRequest) -> bool:
    """Sends a chunk; False where the service has answered already, and awaiting the call says what."""
    try:
        await call.write(chunk)
    except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
        return False
    return True


async def _chunks(rows: Rows) -> AsyncIterator[list[Recipient]]:
    """Rows in chunks of CHUNK_ROWS or CHUNK_BYTES; at least one, so that an empty import is one of a campaign."""
    chunk: list[Recipient] = []
    size = 0
    async for row in _each(rows):
        recipient = _recipient(row)
        chunk.append(recipient)
        size += recipient.ByteSize()
        if len(chunk) >= CHUNK_ROWS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    yield chunk


async def _each(rows: Rows) -> AsyncIterator[Mapping[str, object]]:
    if isinstance(rows, AsyncIterable):
        async for row in rows:
            yield row
    else:
        for row in rows:
            yield row


def _recipient(row: Mapping[str, object]) -> Recipient:
    variables = {name: str(value) for name, value in row.items() if name != "email" and value is not None}
    return Recipient(email=str(row.get("email", "")), variables=variables)


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == _STATUS_KEY:
            assert isinstance(value, bytes)  # as of every key that ends in -bin
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()


def _service_config() -> dict[str, Any]:
    names = [
        {"service": service.full_name, "method": method.name}
        for file in _FILES
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if _is_repeatable(method)
    ]
    return {
        "loadBalancingConfig": [{"round_robin": {}}],
        # Half of the calls failing stops retries, so that they do not hold down a service that is coming back.
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.5},
        "methodConfig": [{"name": names, "retryPolicy": _RETRY}],
    }


def _is_repeatable(method: MethodDescriptor) -> bool:
    """What changes nothing (a GET), and verbs, which succeed where their state is reached (a POST to `…:verb`)."""
    # Its stubs say of no extension whose it is.
    rule: HttpRule = method.GetOptions().Extensions[annotations_pb2.http]  # type: ignore[index]
    return bool(rule.get) or ":" in rule.post
