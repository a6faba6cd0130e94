"""What senders ask of the scheduler."""

from datetime import timedelta
from typing import Any, cast

import grpc
from google.protobuf.duration_pb2 import Duration
from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane.scheduler.v1.dispatch_service_pb2_grpc import DispatchServiceServicer
from maillane.scheduler.v1.mailbox_service_pb2 import Security
from maillane_chassis.errors import FailedPrecondition
from maillane_chassis.violations import Violations

from maillane_scheduler.dispatch.dispatcher import Dispatcher, HandOut
from maillane_scheduler.dispatch.settler import Settler
from maillane_scheduler.store import leases, payloads, senders
from maillane_scheduler.store.claims import ClaimedRow
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.payloads import Unseal
from maillane_scheduler.unsubscribe_link import UnsubscribeLinks
from maillane_scheduler.validation import dispatch as rules

Context = grpc.aio.ServicerContext[Any, Any]


class DispatchService(DispatchServiceServicer):
    """Claims, settles and leases.

    Args:
        unseal: opens a mailbox's password.
        links: by which recipients end mail.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        settler: Settler,
        pool: DispatchPool,
        unseal: Unseal,
        links: UnsubscribeLinks,
        *,
        lease_s: float,
    ) -> None:
        self._dispatcher = dispatcher
        self._settler = settler
        self._pool = pool
        self._unseal = unseal
        self._links = links
        self._lease_s = lease_s
        self._lease = Duration()
        self._lease.FromTimedelta(timedelta(seconds=lease_s))
        # Living incarnations that were met. A replaced one is refused by the compare-and-set all the same.
        self._met: set[tuple[str, str]] = set()

    async def ClaimMessages(self, request: pb.ClaimMessagesRequest, context: Context) -> pb.ClaimMessagesResponse:
        violations = Violations()
        ask = rules.ask(violations, request)
        report = rules.report(violations, list(request.settles))
        violations.raise_if_any()
        await self._meet(ask.sender_id, ask.incarnation)
        await self._settler.release(report)
        if ask.slots == 0:
            return self._answer(await self._dispatcher.recall(ask, report.finished))
        return self._answer(await self._dispatcher.claim(ask, report.finished))

    async def SettleMessages(self, request: pb.SettleMessagesRequest, context: Context) -> pb.SettleMessagesResponse:
        violations = Violations()
        rules.sender(violations, request.sender_id, request.incarnation)
        report = rules.report(violations, list(request.settles))
        violations.raise_if_any()
        # Also from an incarnation that was replaced: what it knows is the truth.
        settled = await self._settler.release(report) + await self._settler.finish(report.finished)
        return pb.SettleMessagesResponse(settled=settled)

    async def RenewClaims(self, request: pb.RenewClaimsRequest, context: Context) -> pb.RenewClaimsResponse:
        violations = Violations()
        sender = rules.sender(violations, request.sender_id, request.incarnation)
        tokens = rules.tokens(violations, request)
        violations.raise_if_any()
        await self._meet(*sender)
        renewal = await leases.renew(self._pool, tokens, *sender, self._lease_s)
        return pb.RenewClaimsResponse(lease=self._lease, revoked=renewal.revoked, lost_tokens=renewal.lost)

    async def GetTransport(self, request: pb.GetTransportRequest, context: Context) -> pb.GetTransportResponse:
        transport = await payloads.transport(self._pool, request.mailbox_id, self._unseal)
        return pb.GetTransportResponse(
            revision=transport.revision,
            address=transport.address,
            display_name=transport.display_name,
            host=transport.host,
            port=transport.port,
            # The table holds the proto's numbers.
            security=cast("Security.ValueType", transport.security),
            username=transport.username,
            password=transport.password,
            max_connections=transport.max_connections,
            dkim_domain=transport.dkim_domain,
            dkim_selector=transport.dkim_selector,
            dkim_private_key=transport.dkim_private_key,
        )

    async def GetTemplate(self, request: pb.GetTemplateRequest, context: Context) -> pb.GetTemplateResponse:
        template = await payloads.template(self._pool, request.campaign_id)
        return pb.GetTemplateResponse(
            revision=template.revision,
            subject=template.subject,
            text=template.text,
            html=template.html,
            campaign_key=template.campaign_key,
            test=template.test,
        )

    async def _meet(self, sender_id: str, incarnation: str) -> None:
        if (sender_id, incarnation) in self._met:
            return
        if not await senders.meet(self._pool, sender_id, incarnation):
            raise FailedPrecondition("another incarnation of this sender has been seen", reason="SENDER_REPLACED")
        self._met = {met for met in self._met if met[0] != sender_id} | {(sender_id, incarnation)}

    def _answer(self, hand_out: HandOut) -> pb.ClaimMessagesResponse:
        return pb.ClaimMessagesResponse(
            token=hand_out.token,
            lease=self._lease,
            messages=[self._message(row) for row in hand_out.rows],
            revoked=hand_out.revoked,
        )

    def _message(self, row: ClaimedRow) -> pb.ClaimedMessage:
        return pb.ClaimedMessage(
            message_id=row.message,
            campaign_id=row.campaign,
            mailbox_id=row.mailbox,
            attempt=row.attempt,
            recipient=row.recipient,
            variables=row.variables.encode(),
            template_revision=row.template_revision,
            transport_revision=row.transport_revision,
            unsubscribe_url=self._links.url(row.message),
        )
