"""Values as the protos have them. Enums share their numbers with states.py and the tables."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import cast

from maillane.scheduler.v1 import audit_service_pb2 as audit_pb
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import identity_service_pb2 as identity_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1 import message_service_pb2 as message_pb
from maillane.scheduler.v1 import suppression_service_pb2 as suppression_pb

from maillane_scheduler.api.times import duration, timestamp, timestamp_us
from maillane_scheduler.api_token import Role, Token, Workspace
from maillane_scheduler.campaign import Campaign
from maillane_scheduler.mailbox import Catcher, Dkim, Mailbox, Stop
from maillane_scheduler.member import Invitation, Member, Membership, User
from maillane_scheduler.message import Attempt, Hold, Message
from maillane_scheduler.signing_in import Session
from maillane_scheduler.store.audit import Entry
from maillane_scheduler.store.suppressions import Suppression


def campaign(value: Campaign) -> campaign_pb.Campaign:
    """A campaign."""
    plan = value.plan
    return campaign_pb.Campaign(
        id=str(value.id),
        name=plan.name,
        mailbox_ids=map(str, plan.mailbox_ids),
        template=campaign_pb.Template(**asdict(plan.template)),
        start_time=timestamp(plan.start_time),
        delay=duration(plan.delay_us),
        hourly_limit=plan.hourly_limit,
        state=cast(campaign_pb.CampaignState.ValueType, int(value.state)),
        state_reason=value.state_reason,
        counts=campaign_pb.Counts(total=value.counts.total, **asdict(value.counts)),
        create_time=timestamp(value.create_time),
        end_time=timestamp(value.end_time),
        unconfirmed_policy=cast(campaign_pb.UnconfirmedPolicy.ValueType, int(plan.unconfirmed_policy)),
        state_actor=value.state_actor,
        move_after=None if plan.move_after_us is None else duration(plan.move_after_us),
    )


def mailbox(value: Mailbox) -> mailbox_pb.Mailbox:
    """A mailbox, without its secrets."""
    settings = value.settings
    return mailbox_pb.Mailbox(
        id=str(value.id),
        address=settings.address,
        display_name=settings.display_name,
        smtp=mailbox_pb.Smtp(
            host=settings.smtp.host,
            port=settings.smtp.port,
            security=cast(mailbox_pb.Security.ValueType, settings.smtp.security),
            username=settings.smtp.username,
            has_password=value.has_password,
        ),
        hourly_limit=settings.hourly_limit,
        daily_limit=settings.daily_limit,
        min_gap=duration(settings.min_gap_us),
        state=cast(mailbox_pb.MailboxState.ValueType, int(value.state)),
        parks=(
            mailbox_pb.Park(
                reason=cast(mailbox_pb.ParkReason.ValueType, int(park.reason)),
                until_time=timestamp(park.until_time),
                detail=park.detail,
            )
            for park in value.parks
        ),
        create_time=timestamp(value.create_time),
        stop=None if value.stop is None else _stop(value.stop),
        max_connections=settings.max_connections,
        learned_connections=None if value.learned is None else value.learned.connections,
        learn_time=None if value.learned is None else timestamp(value.learned.learn_time),
        dkim=_dkim(settings.dkim) if settings.dkim.domain else None,
    )


def _dkim(value: Dkim) -> mailbox_pb.Dkim:
    # There is a key wherever somebody signs.
    return mailbox_pb.Dkim(domain=value.domain, selector=value.selector, has_private_key=True)


def _stop(value: Stop) -> mailbox_pb.Stop:
    return mailbox_pb.Stop(
        reason=cast(mailbox_pb.StopReason.ValueType, int(value.reason)),
        since_time=timestamp(value.since_time),
        detail=value.detail,
    )


def catcher(value: Catcher | None) -> mailbox_pb.Catcher | None:
    """The deployment's catcher."""
    return None if value is None else mailbox_pb.Catcher(host=value.host, port=value.port, url=value.url)


def message(value: Message) -> message_pb.Message:
    """A message as lists have it."""
    return message_pb.Message(
        id=str(value.id),
        campaign_id=str(value.campaign_id),
        mailbox_id=str(value.mailbox_id),
        recipient=value.recipient,
        state=cast(message_pb.MessageState.ValueType, int(value.state)),
        due_time=timestamp_us(value.due_us),
        send_time=timestamp(value.send_time),
        attempts=value.attempts,
        last_reply=value.last_reply,
        subject=value.subject,
        recipient_name=value.recipient_name,
        settle_time=timestamp(value.settle_time),
        last_code=value.last_code,
        line=value.line,
    )


def attempt(value: Attempt) -> message_pb.Attempt:
    """One try."""
    return message_pb.Attempt(
        number=value.number,
        mailbox_id=str(value.mailbox_id),
        claim_time=timestamp(value.claim_time),
        settle_time=timestamp(value.settle_time),
        state=cast(message_pb.MessageState.ValueType, int(value.state)),
        code=value.code,
        reply=value.reply,
    )


def hold(value: Hold | None) -> message_pb.Hold | None:
    """What holds a message; None stays unset."""
    if value is None:
        return None
    return message_pb.Hold(
        reason=cast(message_pb.HoldReason.ValueType, int(value.reason)),
        until_time=timestamp_us(value.until_us),
        detail=value.detail,
        expected_time=timestamp_us(value.expected_us),
        limit=value.limit,
        used=value.used,
        gap=None if value.gap_us is None else duration(value.gap_us),
        ahead=cast(message_pb.HoldReason.ValueType, int(value.ahead or 0)),
    )


def token(value: Token) -> identity_pb.Token:
    """A token, without its secret."""
    return identity_pb.Token(
        id=str(value.id),
        name=value.name,
        role=role(value.role),
        create_time=timestamp(value.create_time),
        last_use_time=timestamp(value.last_use_time),
        revoke_time=timestamp(value.revoke_time),
    )


def role(value: Role) -> identity_pb.Role.ValueType:
    """A role."""
    return cast(identity_pb.Role.ValueType, int(value))


def token_identity(tenant: Workspace, caller: Token) -> identity_pb.GetIdentityResponse:
    """A token as the caller; it opens its own workspace alone."""
    own = Membership(tenant.id, tenant.name, caller.role)
    return identity_pb.GetIdentityResponse(
        workspace=workspace(tenant), token=token(caller), role=role(caller.role), workspaces=[membership(own)]
    )


def user_identity(
    tenant: Workspace, caller: User, here: Role, memberships: Sequence[Membership]
) -> identity_pb.GetIdentityResponse:
    """A user as the caller, with the role in the workspace that is open."""
    return identity_pb.GetIdentityResponse(
        workspace=workspace(tenant),
        user=user(caller),
        role=role(here),
        workspaces=map(membership, memberships),
    )


def user(value: User) -> identity_pb.User:
    """A person."""
    return identity_pb.User(id=str(value.id), email=value.email, name=value.name, picture=value.picture)


def membership(value: Membership) -> identity_pb.WorkspaceMembership:
    """A workspace of a person."""
    return identity_pb.WorkspaceMembership(id=str(value.workspace_id), name=value.workspace_name, role=role(value.role))


def member(value: Member) -> identity_pb.Member:
    """A person in a workspace."""
    return identity_pb.Member(
        user=user(value.user),
        role=role(value.role),
        create_time=timestamp(value.create_time),
        enter_time=timestamp(value.enter_time),
    )


def invitation(value: Invitation) -> identity_pb.Invitation:
    """An invitation."""
    return identity_pb.Invitation(
        id=str(value.id),
        email=value.email,
        role=role(value.role),
        create_time=timestamp(value.create_time),
        expire_time=timestamp(value.expire_time),
    )


def session(value: Session) -> identity_pb.Session:
    """A session that was begun, with its secret."""
    return identity_pb.Session(secret=value.secret, expire_time=timestamp(value.expire_time))


def workspace(value: Workspace) -> identity_pb.Workspace:
    """A tenant."""
    return identity_pb.Workspace(id=str(value.id), name=value.name, stopped=value.stopped)


def audit_entry(value: Entry) -> audit_pb.AuditEntry:
    """A change; of its detail, lists as their items by commas."""
    return audit_pb.AuditEntry(
        id=str(value.id),
        time=timestamp(value.time),
        token_id="" if value.token_id is None else str(value.token_id),
        token_name=value.token_name,
        peer=value.peer,
        verb=value.verb,
        resource=value.resource,
        detail={
            name: ", ".join(map(str, what)) if isinstance(what, list) else str(what)
            for name, what in value.detail.items()
        },
        user_id="" if value.user_id is None else str(value.user_id),
        user_name=value.user_name,
    )


def suppression(value: Suppression) -> suppression_pb.Suppression:
    """An address that is not written to."""
    return suppression_pb.Suppression(
        email=value.email,
        reason=cast(suppression_pb.SuppressionReason.ValueType, int(value.reason)),
        create_time=timestamp(value.create_time),
        campaign_id="" if value.campaign_id is None else str(value.campaign_id),
        added_by=value.added_by,
    )
