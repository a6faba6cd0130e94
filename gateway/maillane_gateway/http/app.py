"""The way of every request: route, credential, place, endpoint, answer, log and metrics."""

import time
from contextlib import ExitStack

import structlog
from google.rpc import code_pb2, status_pb2
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from maillane_gateway.http.capacity import Slots
from maillane_gateway.http.credential import Credentials
from maillane_gateway.http.exchange import Exchange
from maillane_gateway.http.metrics import HANDLED, IN_FLIGHT, SECONDS
from maillane_gateway.http.problem import HttpFailure, respond, response_to
from maillane_gateway.http.proxies import TrustedProxies
from maillane_gateway.http.routing import RouteTable

MAX_HEAD_BYTES = 32 * 1024
"""Request line and headers: a token, a long query and what proxies add fit many times."""
CLIENT_GONE = 499
"""In log and metrics: nobody was there to take an answer."""

_log = structlog.get_logger()


class HttpApp:
    """An ASGI application over a route table."""

    def __init__(
        self, routes: RouteTable, max_requests: int, credentials: Credentials, proxies: TrustedProxies
    ) -> None:
        self._routes = routes
        self._proxies = proxies
        self._credentials = credentials
        self._slots = Slots(max_requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Nothing that an endpoint raises gets further than this."""
        assert scope["type"] == "http"
        start_s = time.perf_counter()
        exchange = Exchange(self._proxies.seen(scope), receive, send)
        request = exchange.request
        with structlog.contextvars.bound_contextvars(request_id=request.state.request_id), IN_FLIGHT.track_inprogress():
            try:
                await self._serve(exchange)
            except ClientDisconnect:
                exchange.code = CLIENT_GONE
            except Exception:  # noqa: BLE001 - the last place; it is logged with its traceback
                _log.exception("http_request_failed", verb=exchange.verb, route=exchange.route)
                await self._apologise(exchange)
            finally:
                _observe(exchange, time.perf_counter() - start_s)

    async def _serve(self, exchange: Exchange) -> None:
        with ExitStack() as held:
            await exchange.respond(await self._answer(exchange, held))

    async def _answer(self, exchange: Exchange, held: ExitStack) -> Response:
        """The endpoint's answer, or that to its error. The request's place is held until the answer was sent."""
        request = exchange.request
        try:
            _check_head(request.scope)
            route, variables = self._routes.find(request.method, request.scope["raw_path"].decode("ascii"))
            exchange.route, exchange.is_quiet = route.template.text, route.quiet
            if not route.open:
                request.state.authorization = self._credentials.authorization(request)
                held.enter_context(self._slots.taken())
            return await route.endpoint(request, variables)
        except ClientDisconnect:
            raise
        except Exception as error:
            response = response_to(error)
            if response is None:
                raise
            return response

    async def _apologise(self, exchange: Exchange) -> None:
        if exchange.code:
            # An answer has begun and cannot become another: the server cuts the connection.
            exchange.code = 500
            return
        message = f"something went wrong here; the logs know it as {exchange.request.state.request_id}"
        await exchange.respond(respond(status_pb2.Status(code=code_pb2.INTERNAL, message=message)))


def _check_head(scope: Scope) -> None:
    """Holds a head that came in one piece to the limit that h11 holds to one that comes in several.

    Raises:
        HttpFailure: 431 (RFC 6585 §5).
    """
    size = len(scope["raw_path"]) + len(scope["query_string"])
    size += sum(len(name) + len(value) for name, value in scope["headers"])
    if size > MAX_HEAD_BYTES:
        message = f"the request's address and headers must have at most {MAX_HEAD_BYTES // 1024} KiB together"
        raise HttpFailure(431, code_pb2.INVALID_ARGUMENT, message)


def _observe(exchange: Exchange, seconds: float) -> None:
    labels = (exchange.verb, exchange.route)
    SECONDS.labels(*labels).observe(seconds)
    HANDLED.labels(*labels, str(exchange.code)).inc()
    level = "debug" if exchange.is_quiet and exchange.code < 500 else "info"
    ms = round(seconds * 1000, 1)
    getattr(_log, level)("http_request", verb=exchange.verb, route=exchange.route, code=exchange.code, ms=ms)
