"""By what a request shows whom it is for: a bearer's secret, or a browser's cookie and that a page of ours sent it."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from maillane_chassis.errors import PermissionDenied, Unauthenticated
from starlette.requests import Request

CSRF_HEADER: Final = "x-maillane-csrf"

LOCAL_PREFIX: Final = "mll_"
"""Of the secrets of sessions that `SignInLocally` begins, as the contract has it."""

_BEARER = re.compile(r"Bearer ([\x21-\x7e]{1,512})", re.IGNORECASE)
_COOKIE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SAFE = frozenset({"GET", "HEAD"})


class Credentials:
    """Reads them. A request that has both is the bearer's: no browser adds that header by itself."""

    def __init__(self, cookie: str, public_url: str, allows_local: Callable[[Request], bool]) -> None:
        """Takes the name of the cookie that holds a session's secret, and the gateway's URL, or an empty one.

        `allows_local`: whether a request may come with a session of who sits at the machine; else it has none.
        """
        self._cookie = cookie
        self._allows_local = allows_local
        self._public_host = urlsplit(public_url).netloc.lower()

    def authorization(self, request: Request) -> str:
        """What the call that this request becomes is authorised by: `Bearer <secret>`.

        Raises:
            Unauthenticated: there is neither, or the header is not one.
            PermissionDenied: CSRF, a cookie came with a request that changes something and is not a page's of ours.
        """
        given = request.headers.getlist("authorization")
        if not given and (secret := self.session(request)):
            if request.method not in _SAFE:
                self.check_sender(request)
            return f"Bearer {secret}"
        found = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
        if found is None or not self._is_allowed(found[1], request):
            raise Unauthenticated("send a token of the workspace, once, as authorization: Bearer <token>; or sign in")
        return f"Bearer {found[1]}"

    def session(self, request: Request) -> str:
        """The secret in the cookie; empty: there is none."""
        secret = request.cookies.get(self._cookie, "")
        return secret if _COOKIE.fullmatch(secret) and self._is_allowed(secret, request) else ""

    def check_sender(self, request: Request) -> None:
        """Lets only pages of ours through, for a browser adds the cookie to whatever page's requests.

        The header alone suffices: a form cannot set it, and for a script of another site the browser first asks us
        (CORS), who never allow it. SameSite=Lax keeps the cookie out of such requests besides. Where the browser says
        from where a request is, that must be right as well, so that no single one of these has to hold.

        Raises:
            PermissionDenied: CSRF.
        """
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site", "same-origin")
        if (
            request.headers.get(CSRF_HEADER) != "1"
            or site != "same-origin"
            or (origin is not None and not self._is_ours(origin, request))
        ):
            raise PermissionDenied(f"send {CSRF_HEADER}: 1, from a page of this server", reason="CSRF")

    def _is_allowed(self, secret: str, request: Request) -> bool:
        return not secret.startswith(LOCAL_PREFIX) or self._allows_local(request)

    def _is_ours(self, origin: str, request: Request) -> bool:
        # A browser says truly to which host it sends. The scheme is not compared: a proxy ends TLS before us.
        host = urlsplit(origin).netloc.lower()
        return bool(host) and host in {request.headers.get("host", "").lower(), self._public_host}
