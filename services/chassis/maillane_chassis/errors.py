"""Errors that carry their gRPC status.

Domain code raises them; `ErrorInterceptor` alone turns them into statuses (google.rpc.Status with ErrorInfo, BadRequest
and RetryInfo, after https://google.aip.dev/193).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.message import Message

DOMAIN = "maillane"

# A status travels in HTTP/2 trailers, which clients with gRPC's defaults accept up to 8 KiB. Base64 adds a third, and
# the message travels twice (in grpc-message, where each byte of a non-ASCII character takes three).
MAX_MESSAGE_CHARS = 300
MAX_VIOLATION_BYTES = 2560


@dataclass(frozen=True, slots=True)
class Violation:
    """One bad field: its path in the request (`smtp.port`, `mailbox_ids[3]`), and what is allowed, in words."""

    field: str
    description: str


class Failure(Exception):
    """An answer that is not OK, with all that the caller is told.

    The message is for people, and must not hold secrets or another workspace's data. The reason is for programs:
    UPPER_SNAKE_CASE, by default the code's name. Metadata makes a reason precise; it is not shortened, so keep it under
    512 bytes where clients outside this deployment see it.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.code.name
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s


class NotFound(Failure):
    """The workspace has nothing of that id. Also the answer for what belongs to another workspace."""

    code = grpc.StatusCode.NOT_FOUND


class InvalidArgument(Failure):
    """The request is wrong whatever the state of the system; every bad field is named at once."""

    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(
        self,
        violations: Sequence[Violation],
        *,
        message: str | None = None,
        reason: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message or _summary(violations), reason=reason, metadata=metadata, violations=violations)


class FailedPrecondition(Failure):
    """The request is right, but not in this state; repeating it helps only once the state has changed."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class AlreadyExists(Failure):
    """Something that must be unique is there already."""

    code = grpc.StatusCode.ALREADY_EXISTS


class Unauthenticated(Failure):
    """No credential, or one that is not valid (any more)."""

    code = grpc.StatusCode.UNAUTHENTICATED


class PermissionDenied(Failure):
    """The caller is known, but may not do this."""

    code = grpc.StatusCode.PERMISSION_DENIED


class ResourceExhausted(Failure):
    """A quota or a cap is reached."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class Aborted(Failure):
    """Another call changed the same thing at the same time; the caller may start over."""

    code = grpc.StatusCode.ABORTED


class DeadlineExceeded(Failure):
    """The work took longer than the call may take. Whether it was done is not known."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class Unimplemented(Failure):
    """This server has the method in its contract, and does not serve it: another version of it may."""

    code = grpc.StatusCode.UNIMPLEMENTED


class Unavailable(Failure):
    """Something that this service needs does not answer now; the same call may be repeated, after `retry_after_s`."""

    code = grpc.StatusCode.UNAVAILABLE


def to_status(failure: Failure) -> Status:
    """The failure as google.rpc.Status: ErrorInfo always, BadRequest and RetryInfo where there is something to say.

    Violations are cut off at MAX_VIOLATION_BYTES; the last one then says how many more there are.
    """
    number, _ = failure.code.value
    status = Status(code=number, message=_shortened(failure.message))
    info = ErrorInfo(reason=failure.reason, domain=DOMAIN, metadata=failure.metadata)
    details: list[Message] = [info]
    if failure.violations:
        details.append(_bad_request(failure.violations))
    if failure.retry_after_s is not None:
        retry = RetryInfo()
        retry.retry_delay.FromTimedelta(timedelta(seconds=max(0.0, failure.retry_after_s)))
        details.append(retry)
    for detail in details:
        status.details.add().Pack(detail)
    return status


def _bad_request(violations: Sequence[Violation]) -> BadRequest:
    request = BadRequest()
    for index, violation in enumerate(violations):
        request.field_violations.add(field=violation.field, description=_shortened(violation.description))
        if request.ByteSize() > MAX_VIOLATION_BYTES:
            # What did not fit is replaced by a count; the first one always stays, for it alone is far below the limit.
            del request.field_violations[max(1, index) :]
            left = len(violations) - len(request.field_violations)
            if left:
                request.field_violations.add(field="", description=f"and {left} more")
            break
    return request


def _summary(violations: Sequence[Violation]) -> str:
    first = violations[0]
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return f"{first.field}: {first.description}{more}"


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE_CHARS else text[: MAX_MESSAGE_CHARS - 1] + "…"
