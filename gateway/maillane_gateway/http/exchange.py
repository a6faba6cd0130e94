"""One request and its answer, with what the log and the metrics want to know of them."""

import re
import uuid
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from maillane_gateway.http import body

REQUEST_ID_HEADER = "x-request-id"

SECURITY_HEADERS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    # Answers hold a workspace's data.
    "cache-control": "no-store",
}
"""On every answer, unless it brings its own."""

_VERBS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_VERB = "OTHER"
NO_ROUTE = "none"
"""Stand for what clients make up, of which there is no end, in log and metrics."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Exchange:
    """Stands between the ASGI server and the application."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._asked = False
        self.request = Request(scope, self.receive)
        self._body_ended = _has_no_body(self.request)
        self.request.state.request_id = _request_id(self.request)
        self.verb = self.request.method if self.request.method in _VERBS else OTHER_VERB
        self.route = NO_ROUTE
        self.is_quiet = False
        self.code = 0
        """Of the answer; 0 until it has begun."""

    @property
    def is_sending(self) -> bool:
        """Whether more of the body is under way. Who asks for leave to send it (Expect) and got none yet, waits."""
        return not self._body_ended and (self._asked or "expect" not in self.request.headers)

    async def receive(self) -> Message:
        """The next of what the client sends."""
        self._asked = True
        message = await self._receive()
        self._body_ended = not message.get("more_body", False)
        return message

    async def respond(self, response: Response) -> None:
        """Sends an answer, with the headers that each of them has."""
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers[REQUEST_ID_HEADER] = self.request.state.request_id
        if not self._body_ended and response.status_code >= 400:
            # What is left of the body would be taken for the next request.
            response.headers["connection"] = "close"
        await response(self.request.scope, self.receive, self._recorded)

    async def _recorded(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.code = message["status"]
        elif self.code >= 400 and self.is_sending and not message.get("more_body", False):
            # The answer is out, and a client that looks stops sending; the end of it, with which the server closes the
            # connection, waits for one that does not.
            await self._send({**message, "more_body": True})
            await body.drain(self.receive)
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)


def _has_no_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers


def _request_id(request: Request) -> str:
    """The client's, where it is one that can stand in a log; else a new one."""
    given = request.headers.get(REQUEST_ID_HEADER, "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
