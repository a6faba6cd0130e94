"""What a caller is told when a call fails."""

import json

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from maillane_chassis import errors
from maillane_chassis.errors import Failure, InvalidArgument, Unavailable, Violation, to_status
from structlog.testing import capture_logs

from .conftest import bearer
from .echo import call, stream

VIEWER = bearer("viewer")


async def failure_of(awaitable):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await awaitable
    return caught.value


def details(error, kind):
    """The details of one kind in an error as the client sees it."""
    status = Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    return unpacked(status, kind)


def unpacked(status, kind):
    found = []
    for detail in status.details:
        message = kind()
        if detail.Unpack(message):
            found.append(message)
    return found


def raising(error):
    async def act(text, context):
        raise error

    return act


@pytest.mark.parametrize(
    "kind",
    [
        errors.NotFound,
        errors.FailedPrecondition,
        errors.AlreadyExists,
        errors.Unauthenticated,
        errors.PermissionDenied,
        errors.ResourceExhausted,
        errors.Aborted,
        errors.DeadlineExceeded,
        errors.Unavailable,
    ],
)
async def test_a_failure_arrives_with_code_words_and_reason(serve, connect, kind):
    """Each kind has its code, its message, and its reason and metadata in ErrorInfo."""
    channel = connect(await serve(raising(kind("so it is", reason="SO_IT_IS", metadata={"id": "5"}))))

    error = await failure_of(call(channel, "View", **VIEWER))

    info = ErrorInfo(reason="SO_IT_IS", domain="maillane", metadata={"id": "5"})
    assert (error.code(), error.details(), details(error, ErrorInfo)) == (kind.code, "so it is", [info])


async def test_bad_fields_arrive_all_at_once(serve, connect):
    """BadRequest names every field, and the message the first one."""
    bad = [Violation("name", "must have 1 to 200 characters"), Violation("smtp.port", "must be from 1 to 65535")]
    channel = connect(await serve(raising(InvalidArgument(bad))))

    error = await failure_of(call(channel, "View", **VIEWER))

    [request] = details(error, BadRequest)
    told = [Violation(violation.field, violation.description) for violation in request.field_violations]
    assert (error.details(), told) == ("name: must have 1 to 200 characters (and 1 more)", bad)


async def test_unavailable_says_when_to_try_again(serve, connect):
    """RetryInfo holds the delay."""
    channel = connect(await serve(raising(Unavailable("not now", retry_after_s=1.5))))

    error = await failure_of(call(channel, "View", **VIEWER))

    [retry] = details(error, RetryInfo)
    assert retry.retry_delay.ToMilliseconds() == 1500


async def test_an_endless_list_of_bad_fields_still_arrives(serve, connect):
    """A status is cut to what every client accepts in trailers, and says what it left out."""
    bad = [Violation(f"recipients[{index}].email", "must be an email address, ü" * 40) for index in range(5000)]
    channel = connect(await serve(raising(InvalidArgument(bad))))

    error = await failure_of(call(channel, "View", **VIEWER))

    [request] = details(error, BadRequest)
    kept = len(request.field_violations) - 1
    assert request.field_violations[-1].description == f"and {5000 - kept} more"


@pytest.mark.parametrize("length", [1, 30, 299, 300, 301, 100_000])
def test_a_status_fits_into_trailers(length):
    """Base64 of the status and the percent-encoded message stay below the 8 KiB that gRPC accepts by default."""
    failure = InvalidArgument([Violation("field", "€" * length)] * 200)

    status = to_status(failure)

    assert len(status.SerializeToString()) * 4 / 3 + 3 * len(status.message.encode()) < 8 * 1024


async def test_an_unknown_error_tells_nothing(serve, connect):
    """Its words and its type stay here."""
    channel = connect(await serve(raising(ValueError("ann@example.com is in the table"))))

    error = await failure_of(call(channel, "View", **VIEWER))

    assert (error.code(), error.details(), dict(error.trailing_metadata())) == (
        grpc.StatusCode.INTERNAL,
        "internal error",
        {},
    )


async def test_an_unknown_error_is_logged_with_its_place_and_without_its_words(serve, connect):
    """The log has the line that raised, and nothing that the request held; that is for level debug alone."""

    async def act(text, context):
        raise KeyError(text)

    channel = connect(await serve(act))
    with capture_logs() as entries:
        await failure_of(call(channel, "View", "ann@example.com", **VIEWER))

    crash = next(entry for entry in entries if entry["event"] == "rpc_crashed")
    quoted = [entry["event"] for entry in entries if "ann@example.com" in json.dumps(entry)]
    assert ("raise KeyError(text)" in crash["traceback"], quoted) == (True, ["rpc_crash_message"])


async def test_a_service_says_what_a_librarys_error_means(serve, connect):
    """translate() makes a Failure of an exception that the chassis does not know."""

    def translate(error: Exception) -> Failure | None:
        return Unavailable("the store does not answer") if isinstance(error, ConnectionError) else None

    channel = connect(await serve(raising(ConnectionResetError()), translate=translate))

    error = await failure_of(call(channel, "View", **VIEWER))

    assert (error.code(), error.details()) == (grpc.StatusCode.UNAVAILABLE, "the store does not answer")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE),
        (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INTERNAL),
    ],
)
async def test_a_service_that_we_need_is_our_affair(serve, connect, code, expected):
    """What another service refuses us is our bug; that it does not answer makes us unavailable."""
    channel = connect(await serve(raising(grpc.aio.AioRpcError(code, details="inner words"))))

    error = await failure_of(call(channel, "View", **VIEWER))

    assert (error.code(), "inner words" in error.details()) == (expected, False)


@pytest.mark.parametrize("method", ["Count", "Gather", "Talk"])
async def test_streams_fail_like_other_calls(serve, connect, method):
    """A Failure in any kind of stream arrives with its details."""
    channel = connect(await serve(raising(errors.NotFound("gone", reason="GONE"))))

    async def exhaust():
        open_call = stream(channel, method, "a", **VIEWER)
        return await open_call if method == "Gather" else [answer async for answer in open_call]

    error = await failure_of(exhaust())

    assert details(error, ErrorInfo)[0].reason == "GONE"


async def test_a_stream_that_fails_in_the_middle_keeps_what_it_sent(serve, connect):
    """What was yielded before arrives before the status."""

    async def act(text, context):
        if text.endswith("2"):
            raise errors.Aborted("moved")
        return text

    channel = connect(await serve(act))
    received = []

    async def read():
        async for answer in stream(channel, "Count", "n", **VIEWER):
            received.append(answer.value)  # noqa: PERF401 - what came before the error counts

    error = await failure_of(read())

    assert (received, error.code()) == (["n0", "n1"], grpc.StatusCode.ABORTED)


async def test_an_abort_by_the_method_itself_passes(serve, connect):
    """gRPC's own way to fail is left alone, and is no crash."""

    async def act(text, context):
        await context.abort(grpc.StatusCode.OUT_OF_RANGE, "by hand")

    channel = connect(await serve(act))
    with capture_logs() as entries:
        error = await failure_of(call(channel, "View", **VIEWER))

    crashes = [entry for entry in entries if entry["event"] == "rpc_crashed"]
    assert (error.code(), error.details(), crashes) == (grpc.StatusCode.OUT_OF_RANGE, "by hand", [])
