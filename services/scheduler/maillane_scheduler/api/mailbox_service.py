"""The sending identities of a workspace."""

from maillane.scheduler.v1 import mailbox_service_pb2 as pb
from maillane.scheduler.v1.mailbox_service_pb2_grpc import MailboxServiceServicer
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import paging
from maillane_scheduler.api import convert
from maillane_scheduler.api.caller import Context, actor, body_hash, workspace
from maillane_scheduler.mailbox import Catcher, Settings, Smtp
from maillane_scheduler.mover import Mover
from maillane_scheduler.sealing import Sealer
from maillane_scheduler.store import mailboxes, requests
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.validation import dkim
from maillane_scheduler.validation import mailboxes as rules
from maillane_scheduler.validation.mailboxes import MailboxRules
from maillane_scheduler.validation.requests import page_size, request_id


class MailboxService(MailboxServiceServicer):
    """Mailboxes: what people decide of them."""

    def __init__(
        self, engine: AsyncEngine, sync: Sync, sealer: Sealer, mailbox_rules: MailboxRules, catcher: Catcher | None
    ) -> None:
        self._engine = engine
        self._sync = sync
        self._mover = Mover(engine, sync)
        self._sealer = sealer
        self._rules = mailbox_rules
        self._catcher = convert.catcher(catcher)

    async def CreateMailbox(self, request: pb.CreateMailboxRequest, context: Context) -> pb.CreateMailboxResponse:
        violations = Violations()
        key = request_id(violations, request.request_id)
        settings = rules.settings(violations, request.mailbox, self._rules)
        violations.raise_if_any()
        by = actor(context)
        async with self._engine.begin() as connection:
            mailbox_id = await requests.once(
                connection,
                by.workspace_id,
                key,
                "CreateMailbox",
                body_hash(request.mailbox),
                lambda: mailboxes.create(connection, by, settings, self._sealer),
            )
            mailbox = await mailboxes.get(connection, by.workspace_id, mailbox_id)
        # The queue hears of a mailbox with the first lane that uses it.
        return pb.CreateMailboxResponse(mailbox=convert.mailbox(mailbox))

    async def GetMailbox(self, request: pb.GetMailboxRequest, context: Context) -> pb.GetMailboxResponse:
        mailbox_id = _mailbox_id(request.mailbox_id)
        async with self._engine.connect() as connection:
            mailbox = await mailboxes.get(connection, workspace(context), mailbox_id)
        return pb.GetMailboxResponse(mailbox=convert.mailbox(mailbox))

    async def ListMailboxes(self, request: pb.ListMailboxesRequest, context: Context) -> pb.ListMailboxesResponse:
        violations = Violations()
        size = page_size(violations, request.page_size)
        (after_id,) = paging.ids(violations, request.page_token, 1, "mailboxes") or (0,)
        violations.raise_if_any()
        async with self._engine.connect() as connection:
            found = await mailboxes.list_page(connection, workspace(context), after_id, size + 1)
        following = paging.encode([found[size - 1].id], "mailboxes") if len(found) > size else ""
        return pb.ListMailboxesResponse(
            mailboxes=map(convert.mailbox, found[:size]), next_page_token=following, catcher=self._catcher
        )

    async def UpdateMailbox(self, request: pb.UpdateMailboxRequest, context: Context) -> pb.UpdateMailboxResponse:
        violations = Violations()
        mailbox_id = violations.identifier("mailbox_id", request.mailbox_id)
        changes = rules.changes(violations, request, self._rules)
        violations.raise_if_any()
        by = actor(context)
        async with self._engine.begin() as connection:
            await mailboxes.change(connection, by, mailbox_id, changes, sealer=self._sealer, check=self._check)
            mailbox = await mailboxes.get(connection, by.workspace_id, mailbox_id)
        await self._sync.mailboxes([mailbox_id])
        return pb.UpdateMailboxResponse(mailbox=convert.mailbox(mailbox))

    async def DeleteMailbox(self, request: pb.DeleteMailboxRequest, context: Context) -> pb.DeleteMailboxResponse:
        mailbox_id = _mailbox_id(request.mailbox_id)
        async with self._engine.begin() as connection:
            await mailboxes.remove(connection, actor(context), mailbox_id)
        await self._sync.mailboxes([mailbox_id])
        return pb.DeleteMailboxResponse()

    async def PauseMailbox(self, request: pb.PauseMailboxRequest, context: Context) -> pb.PauseMailboxResponse:
        mailbox_id = _mailbox_id(request.mailbox_id)
        by = actor(context)
        async with self._engine.begin() as connection:
            await mailboxes.pause(connection, by, mailbox_id)
            mailbox = await mailboxes.get(connection, by.workspace_id, mailbox_id)
        # Also where it was paused already: whoever paused it may have died before this.
        await self._sync.barrier(by.workspace_id)
        await self._sync.mailboxes([mailbox_id])
        return pb.PauseMailboxResponse(mailbox=convert.mailbox(mailbox))

    async def ResumeMailbox(self, request: pb.ResumeMailboxRequest, context: Context) -> pb.ResumeMailboxResponse:
        mailbox_id = _mailbox_id(request.mailbox_id)
        by = actor(context)
        async with self._engine.begin() as connection:
            await mailboxes.resume(connection, by, mailbox_id)
            mailbox = await mailboxes.get(connection, by.workspace_id, mailbox_id)
        await self._sync.mailboxes([mailbox_id])
        return pb.ResumeMailboxResponse(mailbox=convert.mailbox(mailbox))

    async def MoveMessages(self, request: pb.MoveMessagesRequest, context: Context) -> pb.MoveMessagesResponse:
        violations = Violations()
        campaign_id, what = rules.move(violations, request)
        violations.raise_if_any()
        progress = await self._mover.move(actor(context), campaign_id, what)
        return pb.MoveMessagesResponse(moved=progress.moved, more=progress.more)

    def _check(self, settings: Settings, password_was_for: Smtp | None, has_key: bool) -> None:
        violations = Violations()
        rules.check_security(violations, settings.smtp, self._rules)
        if password_was_for is not None:
            rules.check_kept_password(violations, settings.smtp, password_was_for)
        dkim.check(violations, settings.address, settings.dkim, has_key=has_key)
        violations.raise_if_any()


def _mailbox_id(value: str) -> int:
    violations = Violations()
    mailbox_id = violations.identifier("mailbox_id", value)
    violations.raise_if_any()
    return mailbox_id
