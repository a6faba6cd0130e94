"""What a browser asks for: which ways there are to sign in, the way there and back, and out again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import structlog
from maillane_chassis.errors import PermissionDenied, ResourceExhausted, Unavailable
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from maillane_gateway.http.capacity import Slots
from maillane_gateway.http.credential import Credentials
from maillane_gateway.http.routing import Route
from maillane_gateway.sign_in.cookies import LOGIN_S, Cookies
from maillane_gateway.sign_in.login_state import MAX_SEALED, LoginState, LoginStates
from maillane_gateway.sign_in.loopback import is_local
from maillane_gateway.sign_in.refusals import Refused
from maillane_gateway.sign_in.sessions import Begun, Sessions
from maillane_gateway.sign_in.tries import Tries
from maillane_gateway.transcode.template import PathTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maillane_gateway.http.routing import Endpoint
    from maillane_gateway.sign_in.provider import Provider

PAGE: Final = "/sign-in"
CALLBACK: Final = "/auth/callback"
HOME: Final = "/"

MAX_AT_ONCE: Final = 50
"""Each waits for the provider or the scheduler, and nobody needs an account for it."""

_SEE_OTHER: Final = 303
# A path of ours: "//host" and "/\host" lead elsewhere, and browsers drop tabs and line breaks before they look.
_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1000}")

_log = structlog.get_logger()


class SignIn:
    """The endpoints. Those that people are sent to answer with a redirect, whatever happens; the others with JSON."""

    def __init__(
        self,
        *,
        provider: Provider | None,
        public_url: str,
        local: bool,
        credentials: Credentials,
        cookies: Cookies,
        states: LoginStates,
        sessions: Sessions,
        tries: Tries,
    ) -> None:
        """Takes its parts. `local`: whether the person at the machine may come in; never where there is a provider."""
        self._provider = provider
        self._redirect_uri = f"{public_url}{CALLBACK}"
        self._local = local and provider is None
        self._credentials = credentials
        self._cookies = cookies
        self._states = states
        self._sessions = sessions
        self._tries = tries
        self._slots = Slots(MAX_AT_ONCE)

    def routes(self) -> Iterator[Route]:
        """None of them asks for a token."""
        endpoints: list[tuple[str, str, Endpoint]] = [
            ("GET", "/auth/providers", self.providers),
            ("GET", "/auth/sign-in", self.begin),
            ("GET", CALLBACK, self.callback),
            ("POST", "/auth/local", self.local),
            ("POST", "/auth/sign-out", self.sign_out),
        ]
        for verb, path, endpoint in endpoints:
            yield Route(verb, PathTemplate.parse(path), endpoint, open=True)

    async def providers(self, request: Request, _variables: dict[str, str]) -> Response:
        """What the sign-in page offers: a provider by its name, or null, and whether the person at the machine may."""
        provider = None if self._provider is None else {"name": self._provider.name}
        return JSONResponse({"provider": provider, "local": self._local and is_local(request)})

    async def begin(self, request: Request, _variables: dict[str, str]) -> Response:
        """Sends the browser to the provider, with a sealed cookie of what must come back."""
        path = _return_path(request.query_params.get("return", HOME))
        try:
            self._take_try(request)
            if self._provider is None:
                raise Refused("refused")
            with self._slots.taken():
                url, kept = await self._provider.begin(request, self._redirect_uri)
            sealed = self._states.seal(LoginState(path, kept))
            if len(sealed) > MAX_SEALED - 100:  # the cookie's name and attributes count as well
                raise Refused("provider_down")
        except (Refused, Unavailable) as error:
            return self._refused(error, path)
        response = RedirectResponse(url, _SEE_OTHER)
        self._cookies.set(response, self._cookies.login, sealed, LOGIN_S)
        return response

    async def callback(self, request: Request, _variables: dict[str, str]) -> Response:
        """Takes the provider's answer, and begins a session under a new secret; the one of the cookie ends."""
        path = HOME
        try:
            self._take_try(request)
            state = self._states.open(request.cookies.get(self._cookies.login, ""))
            if state is None or self._provider is None:
                raise Refused("expired")
            path = state.return_path
            with self._slots.taken():
                claims = await self._provider.confirm(request, state.session)
                begun = await self._sessions.begin(request, claims, self._credentials.session(request))
        except (Refused, Unavailable) as error:
            response = self._refused(error, path)
        else:
            _log.info("signed_in", way="provider")
            response = RedirectResponse(path, _SEE_OTHER)
            self._keep(response, begun)
        self._cookies.remove(response, self._cookies.login)
        return response

    async def local(self, request: Request, _variables: dict[str, str]) -> Response:
        """Begins a session for the person at the machine.

        Raises:
            PermissionDenied: LOCAL_SIGN_IN_OFF, CSRF.
            ResourceExhausted: TOO_MANY_TRIES.
            Unavailable: TOO_BUSY.
        """
        self._credentials.check_sender(request)
        if not self._local or not is_local(request):
            raise PermissionDenied("only on the machine itself, where no provider is set", reason="LOCAL_SIGN_IN_OFF")
        try:
            self._take_try(request)
        except Refused as refused:
            raise ResourceExhausted(
                "too many tries", reason="TOO_MANY_TRIES", retry_after_s=float(refused.wait_s)
            ) from None
        with self._slots.taken():
            begun = await self._sessions.begin_locally(request, self._credentials.session(request))
        _log.info("signed_in", way="local")
        response = JSONResponse({})
        self._keep(response, begun)
        return response

    async def sign_out(self, request: Request, _variables: dict[str, str]) -> Response:
        """Ends the session of the cookie, and removes that. Where it cannot be ended, the cookie stays, to try again.

        Raises:
            PermissionDenied: CSRF.
            Unavailable: TOO_BUSY.
        """
        self._credentials.check_sender(request)
        if secret := self._credentials.session(request):
            with self._slots.taken():
                await self._sessions.end(request, secret)
        response = JSONResponse({})
        self._cookies.remove(response, self._cookies.session)
        return response

    def _keep(self, response: Response, begun: Begun) -> None:
        self._cookies.set(response, self._cookies.session, begun.secret, begun.lasts_s)

    def _take_try(self, request: Request) -> None:
        wait_s = self._tries.take(request.client.host if request.client else "")
        if wait_s:
            raise Refused("limited", wait_s)

    def _refused(self, error: Refused | Unavailable, path: str) -> Response:
        reason, wait_s = (error.reason, error.wait_s) if isinstance(error, Refused) else ("limited", 1)
        _log.info("sign_in_refused", reason=reason)
        query: dict[str, Any] = {"error": reason}
        if wait_s:
            query["wait"] = wait_s
        if path != HOME:
            query["return"] = path
        return RedirectResponse(f"{PAGE}?{urlencode(query)}", _SEE_OTHER)


def _return_path(given: str) -> str:
    """Where to go after a sign-in: a path here, or the first page."""
    return given if _PATH.fullmatch(given) else HOME
