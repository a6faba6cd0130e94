"""Campaigns: a template, recipients, mailboxes, and a plan."""

from collections.abc import AsyncIterator, Sequence

from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane.scheduler.v1.campaign_service_pb2_grpc import CampaignServiceServicer
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import paging
from maillane_scheduler.api import convert, forecasts, previews
from maillane_scheduler.api.caller import Context, actor, body_hash, workspace
from maillane_scheduler.api.watches import Watches
from maillane_scheduler.campaign import Campaign
from maillane_scheduler.importing.importer import Importer
from maillane_scheduler.outlook import Outlooks
from maillane_scheduler.states import CampaignState
from maillane_scheduler.store import campaigns, message_reads, messages, requests, sent_tests
from maillane_scheduler.store.sent_tests import Made
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.unsubscribe_link import UnsubscribeLinks
from maillane_scheduler.validation import campaigns as rules
from maillane_scheduler.validation import forecasts as forecast_rules
from maillane_scheduler.validation import previews as preview_rules
from maillane_scheduler.validation.recipients import RecipientChecker
from maillane_scheduler.validation.requests import page_size, request_id

# Messages that a cancel turns before it answers, about a second of work; the sweep turns the rest.
CANCEL_BATCHES = 10
WATCH_EVERY_S = 0.5
# At once, in one process: 400 short reads a second.
MAX_WATCHED = 200
_BEFORE_ALL = 2**63 - 1
_OPEN = frozenset((CampaignState.ACTIVE, CampaignState.PAUSED))


class CampaignService(CampaignServiceServicer):
    """Campaigns: what people decide of them. Verbs commit, then tell the queue, as the sweep does otherwise."""

    def __init__(self, engine: AsyncEngine, sync: Sync, links: UnsubscribeLinks, outlooks: Outlooks) -> None:
        self._engine = engine
        self._sync = sync
        self._links = links
        self._outlooks = outlooks
        self._watches = Watches(self._watched, is_over=_is_over, every_s=WATCH_EVERY_S, most=MAX_WATCHED)

    def end_watches(self) -> None:
        """Ends the streams of WatchCampaign: before the server is stopped, which waits for them otherwise."""
        self._watches.close()

    async def CreateCampaign(self, request: pb.CreateCampaignRequest, context: Context) -> pb.CreateCampaignResponse:
        violations = Violations()
        key = request_id(violations, request.request_id)
        plan = rules.plan(violations, request.campaign)
        violations.raise_if_any()
        by = actor(context)
        async with self._engine.begin() as connection:
            campaign_id = await requests.once(
                connection,
                by.workspace_id,
                key,
                "CreateCampaign",
                body_hash(request.campaign),
                lambda: campaigns.create(connection, by, plan),
            )
            campaign = await campaigns.get(connection, by.workspace_id, campaign_id)
        return pb.CreateCampaignResponse(campaign=convert.campaign(campaign))

    async def GetCampaign(self, request: pb.GetCampaignRequest, context: Context) -> pb.GetCampaignResponse:
        campaign_id = _campaign_id(request.campaign_id)
        async with self._engine.connect() as connection:
            campaign = await campaigns.get(connection, workspace(context), campaign_id)
        [found] = await self._with_ends([campaign], shares=True)
        return pb.GetCampaignResponse(campaign=found)

    async def ListCampaigns(self, request: pb.ListCampaignsRequest, context: Context) -> pb.ListCampaignsResponse:
        violations = Violations()
        filters = rules.filters(violations, request)
        size = page_size(violations, request.page_size)
        (before,) = paging.ids(violations, request.page_token, 1, "campaigns", filters) or (_BEFORE_ALL,)
        violations.raise_if_any()
        async with self._engine.connect() as connection:
            page = await campaigns.list_page(connection, workspace(context), filters, before, size)
        following = paging.encode([page.campaigns[-1].id], "campaigns", filters) if page.more else ""
        found = await self._with_ends(page.campaigns)
        return pb.ListCampaignsResponse(campaigns=found, next_page_token=following)

    async def UpdateCampaign(self, request: pb.UpdateCampaignRequest, context: Context) -> pb.UpdateCampaignResponse:
        violations = Violations()
        campaign_id = violations.identifier("campaign_id", request.campaign_id)
        changes = rules.changes(violations, request)
        violations.raise_if_any()
        by = actor(context)
        async with self._engine.begin() as connection:
            await campaigns.change(connection, by, campaign_id, changes)
            campaign = await campaigns.get(connection, by.workspace_id, campaign_id)
        await self._sync.campaign(campaign_id)
        return pb.UpdateCampaignResponse(campaign=convert.campaign(campaign))

    async def DeleteCampaign(self, request: pb.DeleteCampaignRequest, context: Context) -> pb.DeleteCampaignResponse:
        campaign_id = _campaign_id(request.campaign_id)
        async with self._engine.begin() as connection:
            await campaigns.remove(connection, actor(context), campaign_id)
        return pb.DeleteCampaignResponse()

    async def StartCampaign(self, request: pb.StartCampaignRequest, context: Context) -> pb.StartCampaignResponse:
        campaign_id = _campaign_id(request.campaign_id)
        by = actor(context)
        async with self._engine.begin() as connection:
            await campaigns.start(connection, by, campaign_id, has_links=bool(self._links))
            campaign = await campaigns.get(connection, by.workspace_id, campaign_id)
        await self._sync.campaign(campaign_id)
        return pb.StartCampaignResponse(campaign=convert.campaign(campaign))

    async def PauseCampaign(self, request: pb.PauseCampaignRequest, context: Context) -> pb.PauseCampaignResponse:
        campaign_id = _campaign_id(request.campaign_id)
        by = actor(context)
        async with self._engine.begin() as connection:
            await campaigns.pause(connection, by, campaign_id)
            campaign = await campaigns.get(connection, by.workspace_id, campaign_id)
        # Also where it was paused already: whoever paused it may have died before this.
        await self._sync.barrier(by.workspace_id)
        await self._sync.campaign(campaign_id)
        return pb.PauseCampaignResponse(campaign=convert.campaign(campaign))

    async def ResumeCampaign(self, request: pb.ResumeCampaignRequest, context: Context) -> pb.ResumeCampaignResponse:
        campaign_id = _campaign_id(request.campaign_id)
        by = actor(context)
        async with self._engine.begin() as connection:
            await campaigns.resume(connection, by, campaign_id)
            campaign = await campaigns.get(connection, by.workspace_id, campaign_id)
        await self._sync.campaign(campaign_id)
        return pb.ResumeCampaignResponse(campaign=convert.campaign(campaign))

    async def CancelCampaign(self, request: pb.CancelCampaignRequest, context: Context) -> pb.CancelCampaignResponse:
        campaign_id = _campaign_id(request.campaign_id)
        by = actor(context)
        async with self._engine.begin() as connection:
            await campaigns.cancel(connection, by, campaign_id)
        await self._sync.barrier(by.workspace_id)
        await self._sync.campaign(campaign_id)
        await self._cancel_messages(campaign_id)
        async with self._engine.connect() as connection:
            campaign = await campaigns.get(connection, by.workspace_id, campaign_id)
        return pb.CancelCampaignResponse(campaign=convert.campaign(campaign))

    async def ImportRecipients(
        self, request_iterator: AsyncIterator[pb.ImportRecipientsRequest], context: Context
    ) -> pb.ImportRecipientsResponse:
        result = await Importer(self._engine, self._sync, workspace(context)).run(aiter(request_iterator))
        return pb.ImportRecipientsResponse(
            accepted=result.accepted,
            duplicates=result.duplicates,
            rejected=(pb.RejectedRow(**row._asdict()) for row in result.rejected),
            rejected_count=result.rejected_count,
        )

    async def WatchCampaign(
        self, request: pb.WatchCampaignRequest, context: Context
    ) -> AsyncIterator[pb.WatchCampaignResponse]:
        campaign_id = _campaign_id(request.campaign_id)
        async for campaign in self._watches.follow((workspace(context), campaign_id)):
            yield pb.WatchCampaignResponse(campaign=convert.campaign(campaign))

    async def PreviewMessage(self, request: pb.PreviewMessageRequest, context: Context) -> pb.PreviewMessageResponse:
        violations = Violations()
        asked = preview_rules.preview(violations, request)
        violations.raise_if_any()
        async with self._engine.connect() as connection:
            return await previews.answer(connection, workspace(context), asked, self._links)

    async def SendTestMessage(self, request: pb.SendTestMessageRequest, context: Context) -> pb.SendTestMessageResponse:
        violations = Violations()
        key = request_id(violations, request.request_id)
        asked = preview_rules.test(violations, request)
        violations.raise_if_any()
        by, made = actor(context), list[Made]()

        async def make() -> int:
            campaign = await campaigns.get(connection, by.workspace_id, asked.campaign_id)
            values = await sent_tests.values(connection, campaign, asked.as_whom)
            [row] = RecipientChecker().check([pb.Recipient(email=asked.recipient, variables=values, line=1)]).rows
            made.append(
                await sent_tests.make(connection, by, campaign, asked.mailbox_id, row, has_links=bool(self._links))
            )
            return made[0].message_id

        body = pb.SendTestMessageRequest()
        body.CopyFrom(request)
        body.ClearField("request_id")
        async with self._engine.begin() as connection:
            message_id = await requests.once(connection, by.workspace_id, key, "SendTestMessage", body_hash(body), make)
            detail = await message_reads.get(connection, by.workspace_id, message_id)
        for one in made:
            await self._sync.campaign(one.campaign_id)
            await self._sync.enqueue(one.campaign_id, one.added.marks, one.added.messages())
        return pb.SendTestMessageResponse(message=convert.message(detail.message))

    async def ForecastCampaign(
        self, request: pb.ForecastCampaignRequest, context: Context
    ) -> pb.ForecastCampaignResponse:
        violations = Violations()
        asked = forecast_rules.asked(violations, request)
        violations.raise_if_any()
        return await forecasts.answer(self._engine, self._outlooks, workspace(context), asked)

    async def _watched(self, key: tuple[int, int]) -> Campaign:
        async with self._engine.connect() as connection:
            return await campaigns.get(connection, *key)

    async def _with_ends(self, found: Sequence[Campaign], *, shares: bool = False) -> list[pb.Campaign]:
        """Campaigns with when they end; without it where that cannot be told now."""
        answers = [convert.campaign(campaign) for campaign in found]
        open_ones = [campaign for campaign in found if campaign.state in _OPEN]
        if open_ones and (outlook := await self._outlooks.glance(open_ones[0].workspace_id)) is not None:
            traces = await self._outlooks.forecast(outlook)
            for campaign, answer in zip(found, answers, strict=True):
                forecasts.tell_end(answer, campaign, outlook, traces, shares=shares)
        return answers

    async def _cancel_messages(self, campaign_id: int) -> None:
        """Each batch in a commit of its own, so that none holds others up."""
        after_id = 0
        for _ in range(CANCEL_BATCHES):
            async with self._engine.begin() as connection:
                after_id, cancelled = await messages.cancel_pending_after(
                    connection, campaign_id, after_id, messages.BATCH
                )
            if cancelled < messages.BATCH:
                return


def _campaign_id(value: str) -> int:
    violations = Violations()
    campaign_id = violations.identifier("campaign_id", value)
    violations.raise_if_any()
    return campaign_id


def _is_over(campaign: Campaign) -> bool:
    """Ended, and its counts say so too: those of a cancelled one follow within moments."""
    return campaign.state.ended and campaign.counts.pending == 0
