"""The two cookies: of a session, and of a sign-in that is under way."""

from typing import Final

from starlette.responses import Response

LOGIN_S: Final = 600
"""How long a person may take at the provider."""


class Cookies:
    """Sets and removes them. No script reads them, and no other site's form or frame brings them along."""

    def __init__(self, *, secure: bool, port: int) -> None:
        """Takes whether browsers reach the gateway by HTTPS, and its port.

        With HTTPS the names have the prefix __Host-: no other host can set such a cookie (RFC 6265bis §4.1.3.2). By
        plain HTTP, which is for loopback, not every browser takes a Secure cookie, and all ports of a host share
        theirs: hence the port in the names.
        """
        self.session = "__Host-maillane" if secure else f"maillane-{port}"
        self.login = "__Host-maillane-login" if secure else f"maillane-login-{port}"
        self._secure = secure

    def set(self, response: Response, name: str, value: str, max_age_s: int) -> None:
        """Sets one, in place of what was there."""
        response.set_cookie(
            name, value, max_age=max_age_s, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def remove(self, response: Response, name: str) -> None:
        """Removes one."""
        self.set(response, name, "", 0)
