"""Errors as HTTP says them: `{"error": {"code", "status", "message", "details"}}` (https://google.aip.dev/193)."""

import json
import math
from collections.abc import Mapping
from typing import Any, cast

import grpc
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from maillane_chassis.errors import DOMAIN, Failure, to_status
from starlette.responses import Response

HTTP_CODES: Mapping[int, int] = {
    code_pb2.OK: 200,
    code_pb2.CANCELLED: 499,
    code_pb2.UNKNOWN: 500,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.INTERNAL: 500,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.DATA_LOSS: 500,
}
"""As google/rpc/code.proto maps them."""


_REASONS: Mapping[int, str] = {
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "BODY_TOO_LARGE",
    415: "MEDIA_TYPE_UNSUPPORTED",
    431: "HEAD_TOO_LARGE",
}


class HttpFailure(Exception):
    """An answer that gRPC has no code for: 405, 408, 413, 415, 431.

    `status` is the nearest gRPC code (a number of google.rpc.Code), for clients that look at nothing else; `reason` is
    for programs, by default that of the HTTP code.
    """

    def __init__(
        self,
        http_code: int,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        reason: str | None = None,
    ) -> None:
        super().__init__(message)
        self.http_code = http_code
        self.status = status_pb2.Status(code=status, message=message)
        self.status.details.add().Pack(_info(reason or _REASONS[http_code]))
        self.headers = dict(headers or {})


def response_to(error: Exception) -> Response | None:
    """The answer to an error of this gateway or of a call; None for one that nobody foresaw."""
    if isinstance(error, HttpFailure):
        return respond(error.status, http_code=error.http_code, headers=error.headers)
    if isinstance(error, Failure):
        return respond(to_status(error))
    if isinstance(error, grpc.aio.AioRpcError):
        return respond(status_of(error))
    return None


def respond(
    status: status_pb2.Status, *, http_code: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A status as an HTTP answer: Retry-After where it says when to come back, the challenge where it is 401."""
    code = http_code or HTTP_CODES.get(status.code, 500)
    all_headers = dict(headers or {})
    if (delay_s := _retry_delay_s(status)) is not None:
        all_headers.setdefault("retry-after", str(math.ceil(delay_s)))
    if code == 401:
        all_headers.setdefault("www-authenticate", "Bearer")
    return Response(error_json(status, code), code, all_headers, "application/json")


def error_json(status: status_pb2.Status, http_code: int | None = None) -> bytes:
    """The body of an error. It always has a reason: the code's name, where who made the status gave none."""
    known = status.code in code_pb2.Code.values()
    name = code_pb2.Code.Name(status.code) if known else "UNKNOWN"
    details = list(status.details)
    if not any(detail.TypeName() == error_details_pb2.ErrorInfo.DESCRIPTOR.full_name for detail in details):
        packed = AnyMessage()
        packed.Pack(_info(name))
        details.insert(0, packed)
    error = {
        "code": http_code or HTTP_CODES.get(status.code, 500),
        "status": name,
        "message": status.message,
        "details": [_detail(detail) for detail in details],
    }
    return json.dumps({"error": error}, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The status that a call ended with, its details included."""
    try:
        # Typed for the synchronous API; it reads only what both have.
        rich: status_pb2.Status | None = rpc_status.from_call(cast(grpc.Call, error))
    except ValueError:  # details that contradict the code: somebody in between
        rich = None
    if rich is not None:
        return rich
    number, _ = error.code().value
    # The transport's own words name addresses inside the deployment.
    hidden = number == code_pb2.UNAVAILABLE
    return status_pb2.Status(
        code=number, message="the service does not answer; try again" if hidden else error.details()
    )


def _info(reason: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN)


def _detail(detail: AnyMessage) -> Any:
    try:
        return json_format.MessageToDict(detail, always_print_fields_with_no_presence=True)
    except (TypeError, ValueError):  # a type that this gateway does not know
        return {"@type": detail.type_url}


def _retry_delay_s(status: status_pb2.Status) -> float | None:
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(retry):
            return retry.retry_delay.ToTimedelta().total_seconds()
    return None
