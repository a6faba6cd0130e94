"""Which endpoint answers a path and verb. One table for what is transcoded and what is not."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from google.rpc import code_pb2
from maillane_chassis.errors import InvalidArgument, NotFound, Violation
from starlette.requests import Request
from starlette.responses import Response

from maillane_gateway.http.problem import HttpFailure
from maillane_gateway.transcode.template import PathError, PathTemplate

Endpoint: TypeAlias = Callable[[Request, dict[str, str]], Awaitable[Response]]
"""Answers a request whose path has matched these variables, or raises what http.problem can turn into an answer."""


@dataclass(frozen=True, slots=True)
class Route:
    """One verb of one path."""

    verb: str
    template: PathTemplate
    endpoint: Endpoint
    open: bool = False
    """Whether it asks for no token."""
    quiet: bool = False
    """Whether the log says nothing of it while it goes well: files, and what machines ask for all the time."""


class RouteTable:
    """All routes, the more specific path first."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Takes the routes.

        Raises:
            ValueError: two of them are the same verb of the same path.
        """
        self.routes = sorted(routes, key=lambda route: route.template.specificity)
        seen = set[tuple[str, str]]()
        for route in self.routes:
            key = (route.verb, route.template.pattern.pattern)
            if key in seen:
                raise ValueError(f"two routes for {route.verb} {route.template.text}")
            seen.add(key)

    def find(self, verb: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """The route of a path, still percent-encoded, with its variables. HEAD is answered as GET.

        Raises:
            NotFound: no route has this path.
            HttpFailure: 405, with the verbs that the path has.
            InvalidArgument: a variable is not UTF-8.
        """
        wanted = "GET" if verb == "HEAD" else verb
        allowed: list[str] = []
        for route in self.routes:
            try:
                variables = route.template.match(raw_path)
            except PathError as bad:
                raise InvalidArgument([Violation(bad.field, "must be percent-encoded UTF-8")]) from None
            if variables is not None and route.verb == wanted:
                return route, variables
            if variables is not None:
                allowed.append(route.verb)
        if not allowed:
            raise NotFound("there is nothing at this path; /openapi.json lists all there is", reason="NO_SUCH_PATH")
        headers = {"allow": ", ".join(dict.fromkeys(allowed))}
        raise HttpFailure(405, code_pb2.UNIMPLEMENTED, f"this path has {headers['allow']} only", headers)
