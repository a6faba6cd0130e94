"""What happens around every rpc but access: its status, its log line, its metrics, its deadline."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import copy_context
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import grpc
import structlog
from grpc_status import rpc_status

from maillane_chassis import metrics
from maillane_chassis.access import OPEN_METHODS, caller_or_none
from maillane_chassis.around import AroundInterceptor
from maillane_chassis.errors import DeadlineExceeded, Failure, Unavailable, Unimplemented, to_status

if TYPE_CHECKING:
    from maillane_chassis.around import Context, Method, Proceed

Translate: TypeAlias = Callable[[Exception], Failure | None]

Probe: TypeAlias = Callable[[], Awaitable[Failure | None]]
"""Says what does not answer, within a second; None where all does."""

# A call that takes longer is worth a look at what it may wait for; hardly any does in good health. With the probe's own
# time it is answered within the two seconds that callers are promised.
PATIENCE_S = 0.7

# A unary call whose client set no deadline. Longer than anything that works takes, short enough to free its place.
DEFAULT_DEADLINE_S = 30.0

_log = structlog.get_logger("maillane.rpc")
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}
# A client that went away, or whose time was up, ends a long poll or a watch as it should end.
_ENDED_WELL = {"OK", "CANCELLED", "DEADLINE_EXCEEDED"}
_OUR_FAULT = {"INTERNAL", "UNKNOWN", "DATA_LOSS"}
# What another service answers when it is not there, too slow or too busy: to our caller, that is us being unavailable.
_DOWNSTREAM = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


class ErrorInterceptor(AroundInterceptor):
    """Turns what an rpc raises into its status.

    A Failure becomes its status with details. `translate` may make one of a library's exception (a store that does not
    answer: Unavailable). All else is INTERNAL without a word about it, and a log entry with the places in the code.
    """

    def __init__(self, translate: Translate | None = None) -> None:
        super().__init__()
        self._translate = translate

    async def around(self, method: Method, context: Context, proceed: Proceed) -> Any:
        """Ends a failed rpc by abort; what was aborted already, and cancellation, pass."""
        try:
            return await proceed()
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - here every error of a service ends
            failure = error if isinstance(error, Failure) else self._known(error, context)
            if failure is None:
                _log_crash(method.path, error)
                await context.abort(grpc.StatusCode.INTERNAL, "internal error")
            await context.abort_with_status(rpc_status.to_status(to_status(failure)))

    def _known(self, error: Exception, context: Context) -> Failure | None:
        # What a generated servicer does for an rpc that nobody wrote; by itself the exception may be a defect of ours.
        if isinstance(error, NotImplementedError) and context.code() is grpc.StatusCode.UNIMPLEMENTED:
            return Unimplemented("this server does not have this method", reason="METHOD_NOT_IMPLEMENTED")
        failure = self._translate(error) if self._translate is not None else None
        if failure is None and isinstance(error, grpc.aio.AioRpcError) and error.code() in _DOWNSTREAM:
            failure = Unavailable("a service that this one needs does not answer", reason="DEPENDENCY_UNAVAILABLE")
        return failure


class LogInterceptor(AroundInterceptor):
    """One line an rpc: method, code, milliseconds, who called. No addresses, bodies or secrets.

    Methods in `quiet` (long polls), health and reflection are logged at debug while they end well.
    """

    def __init__(self, quiet: Collection[str] = ()) -> None:
        super().__init__()
        self._quiet = OPEN_METHODS | frozenset(quiet)

    async def around(self, method: Method, context: Context, proceed: Proceed) -> Any:
        """Writes the line when the rpc has ended, however it did."""
        start = perf_counter()
        cancelled = False
        try:
            return await proceed()
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            self._write(method, _code(context, cancelled=cancelled), perf_counter() - start)

    def _write(self, method: Method, code: str, elapsed_s: float) -> None:
        caller = caller_or_none()
        write = _log.info
        if code in _OUR_FAULT:
            write = _log.error
        elif code in _ENDED_WELL and method.path in self._quiet:
            write = _log.debug
        write(
            "rpc",
            method=method.path,
            code=code,
            ms=round(elapsed_s * 1000, 2),
            caller="nobody" if caller is None else caller.kind,
            workspace_id=caller.workspace_id if caller is not None else None,
        )


class MetricsInterceptor(AroundInterceptor):
    """Counts and times every rpc by method and code, under the names that dashboards for gRPC know."""

    def __init__(self) -> None:
        super().__init__()
        self._metrics: dict[str, metrics.MethodMetrics] = {}

    async def around(self, method: Method, context: Context, proceed: Proceed) -> Any:
        """Counts the rpc as in flight, then as handled."""
        mine = self._metrics.get(method.path)
        if mine is None:
            mine = self._metrics[method.path] = metrics.MethodMetrics(method.path)
        mine.in_flight.inc()
        start = perf_counter()
        cancelled = False
        try:
            return await proceed()
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            mine.in_flight.dec()
            mine.seconds.observe(perf_counter() - start)
            mine.handled(_code(context, cancelled=cancelled)).inc()


class DeadlineInterceptor(AroundInterceptor):
    """Gives each unary call whose client set no deadline one of ours; gRPC itself ends the others in time.

    Streams are ended by those who serve them: how long a watch or an import may take is a rule of theirs.
    """

    def __init__(self, default_s: float = DEFAULT_DEADLINE_S, by_method: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self._default_s = default_s
        self._by_method = dict(by_method or {})

    async def around(self, method: Method, context: Context, proceed: Proceed) -> Any:
        """Cancels the method at the deadline.

        Raises:
            DeadlineExceeded: it had not ended by then.
        """
        if method.request_streaming or method.response_streaming or _remaining_s(context) is not None:
            return await proceed()
        limit_s = self._by_method.get(method.path, self._default_s)
        limit = asyncio.timeout(limit_s)
        try:
            async with limit:
                return await proceed()
        except TimeoutError:
            # One that the method raised by itself is its own affair.
            if not limit.expired():
                raise
            raise DeadlineExceeded(f"not done within {limit_s:g} s; the call had no deadline of its own") from None


class PatienceInterceptor(AroundInterceptor):
    """Answers for a call that waits for something that hangs; one that is only slow goes on.

    What hangs (a stopped server, a dead disk) refuses nothing, so that nothing is raised, and a driver that is
    cancelled in the middle of a statement waits for its server as well. Hence the call's work is left to itself, until
    what it waits for comes back or its connection breaks.

    Args:
        probe: asked when a call has taken PATIENCE_S, and again and again; callers at the same time share one look.
        patient: methods that wait by design: long polls. Streams are not looked at.
    """

    def __init__(self, probe: Probe, patient: Collection[str] = ()) -> None:
        super().__init__()
        self._probe = probe
        self._patient = frozenset(patient)
        self._look: asyncio.Task[Failure | None] | None = None
        self._left: set[asyncio.Future[Any]] = set()

    async def around(self, method: Method, context: Context, proceed: Proceed) -> Any:  # noqa: ARG002 - as the others
        """Proceeds, and looks around where that takes long.

        Raises:
            Failure: what the probe found.
        """
        if method.request_streaming or method.response_streaming or method.path in self._patient:
            return await proceed()
        context_of_work = copy_context()
        work = asyncio.get_running_loop().create_task(_done(proceed), context=context_of_work)
        try:
            while not (await asyncio.wait({work}, timeout=PATIENCE_S))[0]:
                failure = await self._found()
                if failure is not None and not work.done():
                    raise failure
            return work.result()
        finally:
            # Who called is found within, and told in the log line without.
            for variable, value in context_of_work.items():
                if variable.get(None) is not value:
                    variable.set(value)
            if not work.done():
                self._leave(work)

    async def _found(self) -> Failure | None:
        if self._look is None or self._look.done():
            self._look = asyncio.ensure_future(self._probe())
        return await asyncio.shield(self._look)

    def _leave(self, work: asyncio.Future[Any]) -> None:
        work.cancel()
        self._left.add(work)
        work.add_done_callback(self._forget)

    def _forget(self, work: asyncio.Future[Any]) -> None:
        self._left.discard(work)
        if not work.cancelled():
            work.exception()  # Nobody waits for it any more.


async def _done(proceed: Proceed) -> Any:
    return await proceed()


def _code(context: Context, *, cancelled: bool) -> str:
    if cancelled:
        remaining = _remaining_s(context)
        return "DEADLINE_EXCEEDED" if remaining is not None and remaining <= 0 else "CANCELLED"
    # In truth None until something was set, which leaves OK; and whatever set_code was given, a number perhaps.
    code = cast("grpc.StatusCode | int | None", context.code())
    return code.name if isinstance(code, grpc.StatusCode) else _CODES.get(code or 0, "UNKNOWN")


def _remaining_s(context: Context) -> float | None:
    # Typed as a float, but None where the client set no deadline.
    return cast("float | None", context.time_remaining())


def _log_crash(method: str, error: Exception) -> None:
    """Says where it happened, with the chain of causes by type: messages of exceptions may quote what a request held.

    They are logged at debug, which is for machines that hold no real data.
    """
    places: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(places) < 8:  # a chain longer than this has said enough
        frames = traceback.extract_tb(cause.__traceback__)[-30:]
        places.append(f"{type(cause).__name__}\n{''.join(traceback.format_list(frames))}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    _log.error("rpc_crashed", method=method, error=type(error).__name__, traceback="\ncaused by ".join(places))
    _log.debug("rpc_crash_message", method=method, message=str(error)[:2000])
