"""Sessions, which the scheduler keeps: begun and ended for browsers, by the credential of services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from maillane.scheduler.v1 import identity_service_pb2 as pb
from maillane_chassis.errors import Failure
from starlette.requests import Request

from maillane_gateway.http.problem import status_of
from maillane_gateway.sign_in.refusals import Reason, Refused
from maillane_gateway.upstream import Upstream, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from maillane_gateway.sign_in.provider import Claims

CALL_S: Final = 10.0

_SERVICE = pb.DESCRIPTOR.services_by_name["IdentityService"]
_REASONS: Final[dict[str, Reason]] = {"NOT_A_MEMBER": "not_a_member", "EMAIL_UNVERIFIED": "unverified"}
# What the scheduler takes; a provider may tell longer ones.
_MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Begun:
    """A session: its secret, and for how long it lasts at most."""

    secret: str
    lasts_s: int


class Sessions:
    """The three calls."""

    def __init__(self, upstream: Upstream, service_key: str, wall_s: Callable[[], float]) -> None:
        """Takes the scheduler, the services' key, and the clock: seconds since 1970."""
        self._upstream = upstream
        self._authorization = f"Service {service_key}"
        self._wall_s = wall_s
        self._calls = {
            name: upstream.unary_unary(_SERVICE.methods_by_name[name])
            for name in ("SignIn", "SignInLocally", "RevokeSession")
        }

    async def begin(self, request: Request, claims: Claims, previous: str) -> Begun:
        """Begins one for whom the provider has confirmed; the previous one, if there is one, ends.

        Raises:
            Refused: not_a_member, unverified, refused, or unavailable.
        """
        told = pb.SignInRequest(
            issuer=claims.issuer,
            subject=claims.subject,
            email=claims.email,
            email_verified=True,
            name=_printable(claims.name)[:_MAX_NAME],
            picture=claims.picture,
            previous_secret=previous,
        )
        try:
            response = await self._call("SignIn", request, told)
        except grpc.aio.AioRpcError as error:
            raise Refused(_reason(error)) from None
        except Failure:
            raise Refused("unavailable") from None
        return self._begun(response.session)

    async def begin_locally(self, request: Request, previous: str) -> Begun:
        """Begins one for the person at the machine.

        Raises:
            Failure, AioRpcError: as calls do.
        """
        response = await self._call("SignInLocally", request, pb.SignInLocallyRequest(previous_secret=previous))
        return self._begun(response.session)

    async def end(self, request: Request, secret: str) -> None:
        """Ends one, if there is one of this secret.

        Raises:
            Failure, AioRpcError: as calls do.
        """
        await self._call("RevokeSession", request, pb.RevokeSessionRequest(secret=secret))

    async def _call(self, name: str, request: Request, message: Message) -> Any:
        request.state.authorization = self._authorization
        await self._upstream.connected()
        return await self._calls[name](message, metadata=metadata(request), timeout=CALL_S)

    def _begun(self, session: pb.Session) -> Begun:
        return Begun(session.secret, max(0, session.expire_time.seconds - int(self._wall_s())))


def _reason(error: grpc.aio.AioRpcError) -> Reason:
    info = error_details_pb2.ErrorInfo()
    for detail in status_of(error).details:
        if detail.Unpack(info) and info.reason in _REASONS:
            return _REASONS[info.reason]
    return "refused" if error.code() is grpc.StatusCode.INVALID_ARGUMENT else "unavailable"


def _printable(name: str) -> str:
    return "".join(char for char in name if char.isprintable())
