"""`GET` and `POST /u/{token}`: looking changes nothing, posting unsubscribes."""

import grpc
from maillane.scheduler.v1.suppression_service_pb2 import DESCRIPTOR, UnsubscribeRequest, UnsubscribeResponse
from maillane_chassis.errors import Unavailable
from starlette.requests import Request
from starlette.responses import Response

from maillane_gateway.http import body
from maillane_gateway.http.capacity import Slots
from maillane_gateway.unsubscribe import pages
from maillane_gateway.upstream import Upstream, origin_metadata

PATH = "/u/{token}"

METHOD = DESCRIPTOR.services_by_name["SuppressionService"].methods_by_name["Unsubscribe"]

MAX_BODY_BYTES = 4 * 1024
"""`List-Unsubscribe=One-Click`, as a form or as multipart; what stands there is not looked at."""

WITHIN_S = 10.0

MAX_AT_ONCE = 50
"""Nobody needs an account for these: they must not take the places of those who have one."""

MAX_TOKEN_CHARS = 100


class Unsubscribe:
    """Answers with pages, whatever happens: those who come here are no programmers."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._method = upstream.unary_unary(METHOD)
        self._slots = Slots(MAX_AT_ONCE)

    async def look(self, request: Request, variables: dict[str, str]) -> Response:
        """Asks, for programs follow every link of an email."""
        about = await self._ask(request, variables["token"], validate_only=True)
        return about if isinstance(about, Response) else pages.question(about)

    async def act(self, request: Request, variables: dict[str, str]) -> Response:
        """Does it: the page's button, or a mail provider's one click (RFC 8058 §3.2)."""
        await body.read(request, limit_bytes=MAX_BODY_BYTES, within_s=WITHIN_S)
        about = await self._ask(request, variables["token"], validate_only=False)
        return about if isinstance(about, Response) else pages.done(about)

    async def _ask(self, request: Request, token: str, *, validate_only: bool) -> UnsubscribeResponse | Response:
        if len(token) > MAX_TOKEN_CHARS:
            return pages.invalid()
        asked = UnsubscribeRequest(token=token, validate_only=validate_only)
        try:
            with self._slots.taken():
                await self._upstream.connected()
                answer: UnsubscribeResponse = await self._method(
                    asked, metadata=origin_metadata(request), timeout=WITHIN_S
                )
        except Unavailable:
            return pages.away()
        except grpc.aio.AioRpcError as error:
            return pages.invalid() if error.code() is grpc.StatusCode.NOT_FOUND else pages.away()
        return answer
