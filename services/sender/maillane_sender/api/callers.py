"""Whose call it is, and which mailbox they may name: the scheduler knows, and is asked with the caller's own secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc
from maillane.options.v1 import access_pb2
from maillane.scheduler.v1 import identity_service_pb2 as identity_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1.identity_service_pb2_grpc import IdentityServiceStub
from maillane.scheduler.v1.mailbox_service_pb2_grpc import MailboxServiceStub
from maillane_chassis.access import Identity
from maillane_chassis.errors import NotFound

if TYPE_CHECKING:
    from maillane_chassis.access import Access

Context = grpc.aio.ServicerContext[Any, Any]

IDEMPOTENT: Final = (
    "/maillane.scheduler.v1.IdentityService/GetIdentity",
    "/maillane.scheduler.v1.MailboxService/GetMailbox",
)
"""What the channel may repeat by itself."""

ASK_S: Final = 5.0
"""For the scheduler's answer, which takes milliseconds."""

_ACCESS: Final[dict[int, Access]] = {
    identity_pb.ROLE_VIEWER: access_pb2.ACCESS_VIEWER,
    identity_pb.ROLE_EDITOR: access_pb2.ACCESS_EDITOR,
    identity_pb.ROLE_ADMIN: access_pb2.ACCESS_ADMIN,
}


class Callers:
    """Asks the scheduler on behalf of who calls."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._identities = IdentityServiceStub(channel)
        self._mailboxes = MailboxServiceStub(channel)

    async def identity(self, secret: str) -> Identity | None:
        """Whom a secret lets in, or None.

        Raises:
            grpc.aio.AioRpcError: the scheduler did not say.
        """
        try:
            who = await self._identities.GetIdentity(
                identity_pb.GetIdentityRequest(), metadata=_bearer(secret), timeout=ASK_S
            )
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
                return None
            raise
        role = _ACCESS.get(who.role)
        if role is None:
            return None
        token_id = int(who.token.id) if who.HasField("token") else None
        user_id = int(who.user.id) if who.HasField("user") else None
        return Identity(int(who.workspace.id), token_id, role, who.token.name or who.user.name, user_id)

    async def mailbox(self, context: Context, mailbox_id: str) -> mailbox_pb.Mailbox:
        """A mailbox of the caller's workspace.

        Raises:
            NotFound: MAILBOX_NOT_FOUND, the workspace has none of this id.
            grpc.aio.AioRpcError: the scheduler did not say.
        """
        request = mailbox_pb.GetMailboxRequest(mailbox_id=mailbox_id)
        try:
            answer = await self._mailboxes.GetMailbox(request, metadata=_own(context), timeout=ASK_S)
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT):
                raise NotFound("there is no such mailbox", reason="MAILBOX_NOT_FOUND") from None
            raise
        return answer.mailbox


def _bearer(secret: str) -> tuple[tuple[str, str]]:
    return (("authorization", f"Bearer {secret}"),)


def _own(context: Context) -> tuple[tuple[str, str], ...]:
    """The credential that the call came with; there is just one, for it was let in by it."""
    given = context.invocation_metadata() or ()
    return tuple((key, str(value)) for key, value in given if key == "authorization")
