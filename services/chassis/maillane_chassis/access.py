"""Who calls, and whether they may: said beside each rpc in the protos, enforced here for all of them."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from maillane.options.v1 import access_pb2
from maillane.options.v1.access_pb2 import (
    ACCESS_ADMIN,
    ACCESS_EDITOR,
    ACCESS_OPEN,
    ACCESS_SERVICE,
    ACCESS_UNSPECIFIED,
    ACCESS_VIEWER,
)

from maillane_chassis.around import AroundInterceptor
from maillane_chassis.errors import PermissionDenied, Unauthenticated
from maillane_chassis.forwarding import origin_of

if TYPE_CHECKING:
    from google.protobuf.descriptor import ServiceDescriptor

    from maillane_chassis.around import Context, Method, Proceed

Access: TypeAlias = "access_pb2.Access.ValueType"
Authenticate: TypeAlias = Callable[[str], Awaitable["Identity | None"]]

# Longer than any token or key that this system makes. What is longer is refused before anything is computed from it.
MAX_CREDENTIAL_CHARS = 512
# Roles of workspaces, each of which contains those before it. ACCESS_SERVICE is deliberately not among them.
WORKSPACE_ROLES = (ACCESS_VIEWER, ACCESS_EDITOR, ACCESS_ADMIN)
# Load balancers and orchestrators ask without a credential; the answer says nothing but whether we serve.
OPEN_METHODS = frozenset({"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"})
_REFLECTION = ("/grpc.reflection.v1alpha.ServerReflection/", "/grpc.reflection.v1.ServerReflection/")
_CHANNELZ = "/grpc.channelz.v1.Channelz/"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: a token of one workspace, a person with a session in one, or a service of this deployment.

    A service has no workspace; a token has no user and session, a person no token.
    """

    workspace_id: int | None
    token_id: int | None
    role: Access
    name: str
    user_id: int | None = None
    session_id: int | None = None

    @property
    def is_service(self) -> bool:
        """Whether it is a service of this deployment."""
        return self.role == ACCESS_SERVICE

    @property
    def kind(self) -> str:
        """For logs: "service", "user" or "token"."""
        if self.is_service:
            return "service"
        return "token" if self.user_id is None else "user"


SERVICE = Identity(workspace_id=None, token_id=None, role=ACCESS_SERVICE, name="service")

# Each rpc runs in a task of its own, so this is the identity of the rpc, and ends with it.
_identity: ContextVar[Identity | None] = ContextVar("identity", default=None)
_origin: ContextVar[str] = ContextVar("origin", default="")


def identity(context: Context) -> Identity:  # noqa: ARG001 - says whose: this call's
    """Who makes this call.

    Raises:
        LookupError: outside of an rpc, or in one that is open to all (health, ACCESS_OPEN).
    """
    caller = _identity.get()
    if caller is None:
        raise LookupError("nobody was identified in this call")
    return caller


def origin(context: Context) -> str:  # noqa: ARG001 - as above
    """From where this call came, as gRPC names it (`ipv4:192.0.2.7:4711`): of one over HTTP, the gateway's client."""
    return _origin.get()


def caller_or_none() -> Identity | None:
    """Who makes the call that this task serves, as far as it is known by now."""
    return _identity.get()


def access_table(*services: ServiceDescriptor) -> dict[str, Access]:
    """What each method of these services asks of its callers, by gRPC path (`/package.Service/Method`)."""
    return {
        f"/{service.full_name}/{method.name}": method.GetOptions().Extensions[access_pb2.access]
        for service in services
        for method in service.methods
    }


class AccessInterceptor(AroundInterceptor):
    """Identifies the caller and holds it against what the method asks.

    `authorization: Bearer <secret>` is that of a token or session, which `authenticate` resolves (None: not valid, or
    no longer); `authorization: Service <key>` is the credential of services. Methods without an access option are
    refused to everybody. What is open is let through without a look at any credential, and without an identity.
    """

    def __init__(self, authenticate: Authenticate | None, service_key: str, access_of: Mapping[str, Access]) -> None:
        super().__init__()
        self._authenticate = authenticate
        self._service_key = service_key.encode()
        self._access_of = access_of

    async def around(self, method: Method, context: Context, proceed: Proceed) -> Any:
        """Identifies and checks before the method runs.

        Raises:
            Unauthenticated: no credential, more than one, or one that is not valid.
            PermissionDenied: the caller may not call this method.
        """
        _origin.set(origin_of(context, self._service_key))
        if method.path not in OPEN_METHODS and self._access_of.get(method.path) != ACCESS_OPEN:
            caller = await self._identify(context)
            self._check(method.path, caller)
            _identity.set(caller)
        return await proceed()

    async def _identify(self, context: Context) -> Identity:
        scheme, credential = _credential(context)
        if scheme == "service" and hmac.compare_digest(credential.encode(), self._service_key):
            return SERVICE
        if scheme == "bearer" and self._authenticate is not None:
            caller = await self._authenticate(credential)
            if caller is not None:
                if caller.role not in WORKSPACE_ROLES or caller.workspace_id is None:
                    raise RuntimeError("a credential resolved to something that is in no workspace")
                return caller
        raise Unauthenticated("the credential is not valid", reason="CREDENTIAL_INVALID")

    def _check(self, method: str, caller: Identity) -> None:
        if method.startswith(_REFLECTION):
            return
        asked = ACCESS_SERVICE if method.startswith(_CHANNELZ) else self._access_of.get(method, ACCESS_UNSPECIFIED)
        if asked == ACCESS_SERVICE and caller.is_service:
            return
        if asked not in WORKSPACE_ROLES or caller.is_service:
            raise PermissionDenied("this credential does not open this method", reason="METHOD_NOT_OPEN")
        if WORKSPACE_ROLES.index(caller.role) < WORKSPACE_ROLES.index(asked):
            role = access_pb2.Access.Name(asked).removeprefix("ACCESS_").lower()
            raise PermissionDenied(f"this needs the role {role}", reason="ROLE_TOO_SMALL")


def _credential(context: Context) -> tuple[str, str]:
    values = [value for key, value in context.invocation_metadata() or () if key == "authorization"]
    if not values:
        raise Unauthenticated(
            "a credential is needed: authorization: Bearer <token>",
            reason="CREDENTIAL_MISSING",
        )
    scheme, _, credential = str(values[0]).partition(" ")
    if len(values) > 1 or not credential or len(credential) > MAX_CREDENTIAL_CHARS:
        raise Unauthenticated("the credential is not valid", reason="CREDENTIAL_INVALID")
    return scheme.lower(), credential.strip()
