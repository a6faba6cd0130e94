"""Mailboxes: rows that people see and change. What the queue must be told of a change is marked in its commit."""

from collections.abc import Callable, Sequence
from typing import Any

from maillane_chassis.errors import AlreadyExists, FailedPrecondition, NotFound
from sqlalchemy import BigInteger, ColumnElement, Row, any_, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.addresses import address_key
from maillane_scheduler.mailbox import Changes, Dkim, Learned, Mailbox, Park, Settings, Smtp, Stop
from maillane_scheduler.sealing import Sealer, dkim_place
from maillane_scheduler.states import CampaignState, MailboxState, MessageState, ParkReason, StopReason
from maillane_scheduler.store import audit, tables
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.store.parks import GATE

# Campaigns that an answer names as those that use a mailbox.
USERS_NAMED = 5

_LIMITS = frozenset(("hourly_limit", "daily_limit"))
_SERVER = frozenset(("host", "port", "security", "username", "password"))
_NO_STOP: dict[str, Any] = {"stop_reason": None, "stop_time": None, "stop_detail": ""}

_MAILBOXES = tables.mailboxes
_PARKS = tables.parks
_UNENDED = [int(state) for state in CampaignState if not state.ended]


async def create(connection: AsyncConnection, actor: Actor, settings: Settings, sealer: Sealer) -> int:
    """Creates a mailbox, active, and returns its id.

    Raises:
        AlreadyExists: ADDRESS_TAKEN, the workspace has a mailbox of this address.
    """
    row = insert(_MAILBOXES).values(
        workspace_id=actor.workspace_id,
        password=_sealed(settings, actor.workspace_id, sealer),
        dkim_key=_sealed_key(settings, actor.workspace_id, sealer),
        **_columns(settings),
    )
    try:
        created = await connection.execute(row.returning(_MAILBOXES.c.id))
    except IntegrityError as error:
        raise _taken(error) from None
    mailbox_id = int(created.scalar_one())
    await audit.record(connection, actor, "mailbox.create", f"mailboxes/{mailbox_id}")
    return mailbox_id


async def get(connection: AsyncConnection, workspace_id: int, mailbox_id: int) -> Mailbox:
    """A mailbox of the workspace, with what holds it now.

    Raises:
        NotFound: it has no such mailbox (any more).
    """
    row = (await connection.execute(select(_MAILBOXES).where(_is(workspace_id, mailbox_id)))).first()
    if row is None:
        raise _not_found()
    return _mailbox(row, (await _parks(connection, [row.id])).get(row.id, []))


async def list_page(connection: AsyncConnection, workspace_id: int, after_id: int, limit: int) -> list[Mailbox]:
    """Mailboxes of the workspace with ids above one, in the order in which they were made."""
    found = (
        select(_MAILBOXES)
        .where(
            _MAILBOXES.c.workspace_id == workspace_id,
            _MAILBOXES.c.id > literal(after_id, BigInteger),
            _MAILBOXES.c.delete_time.is_(None),
        )
        .order_by(_MAILBOXES.c.id)
        .limit(limit)
    )
    rows = (await connection.execute(found)).all()
    parks = await _parks(connection, [row.id for row in rows])
    return [_mailbox(row, parks.get(row.id, [])) for row in rows]


async def change(
    connection: AsyncConnection,
    actor: Actor,
    mailbox_id: int,
    changes: Changes,
    *,
    sealer: Sealer,
    check: Callable[[Settings, Smtp | None, bool], None],
) -> None:
    """Changes settings; a secret that is kept is sealed anew where the address changes, for it is bound to it.

    Args:
        check: sees the settings as they will be; where a password is kept, the mail server as it was; and whether there
            will be a private key. May raise.

    Raises:
        NotFound: the workspace has no such mailbox.
        AlreadyExists: ADDRESS_TAKEN, the workspace has another mailbox of this address.
    """
    row = await _lock(connection, actor.workspace_id, mailbox_id)
    old = _settings(row)
    new = changes.applied(old)
    keeps_password = row.password is not None and "password" not in changes.fields
    has_key = bool(new.dkim.private_key) if "dkim_private_key" in changes.fields else row.dkim_key is not None
    check(new, old.smtp if keeps_password else None, has_key)
    values = {**_columns(new), **_secrets(row, changes, new, sealer)}
    if changes.fields & _SERVER:
        # What another server allows is still to be learned.
        values |= {"learned_cap": None, "learn_time": None}
        if await _lift(connection, mailbox_id, ParkReason.BACKOFF):
            # What it rested for may be over: it is tried at once, and rests again where it is not.
            values |= {"backoff_level": 0, **({} if row.state == MailboxState.PAUSED else _NO_STOP)}
    try:
        await _write(connection, mailbox_id, **values)
    except IntegrityError as error:
        raise _taken(error) from None
    if changes.fields & _LIMITS:
        # A limit that was raised may leave room now; one that still binds parks the mailbox again.
        await _lift(connection, mailbox_id, ParkReason.LIMIT)
    detail = {"fields": sorted(changes.fields)}
    await audit.record(connection, actor, "mailbox.update", f"mailboxes/{mailbox_id}", detail)


async def remove(connection: AsyncConnection, actor: Actor, mailbox_id: int) -> None:
    """Deletes a mailbox, and its secrets for good; its row stays for what it sent.

    Raises:
        NotFound: the workspace has no such mailbox.
        FailedPrecondition: MAILBOX_IN_USE, a campaign that has not ended uses it.
    """
    # Whoever gives a mailbox to a campaign shares this lock, so that no campaign takes it meanwhile.
    await _lock(connection, actor.workspace_id, mailbox_id)
    users = await _users(connection, mailbox_id)
    if users:
        named = ", ".join(f"{name!r} ({campaign_id})" for campaign_id, name in users[:USERS_NAMED])
        more = " and others" if len(users) > USERS_NAMED else ""
        raise FailedPrecondition(f"campaigns use this mailbox: {named}{more}", reason="MAILBOX_IN_USE")
    await _write(connection, mailbox_id, delete_time=func.now(), password=None, dkim_key=None)
    await audit.record(connection, actor, "mailbox.delete", f"mailboxes/{mailbox_id}")


async def pause(connection: AsyncConnection, actor: Actor, mailbox_id: int) -> None:
    """Pauses a mailbox; pausing a paused one changes nothing.

    Raises:
        NotFound: the workspace has no such mailbox.
    """
    await _turn(connection, actor, mailbox_id, MailboxState.PAUSED, "mailbox.pause")


async def resume(connection: AsyncConnection, actor: Actor, mailbox_id: int) -> None:
    """Resumes a mailbox, lifts the park of its back-off and starts that anew; where there is neither, changes nothing.

    Raises:
        NotFound: the workspace has no such mailbox.
    """
    await _turn(connection, actor, mailbox_id, MailboxState.ACTIVE, "mailbox.resume")
    if await _lift(connection, mailbox_id, ParkReason.BACKOFF):
        await _write(connection, mailbox_id, backoff_level=0, **_NO_STOP)


async def share(connection: AsyncConnection, workspace_id: int, mailbox_ids: Sequence[int]) -> None:
    """Holds mailboxes against being deleted until the transaction ends.

    Raises:
        NotFound: MAILBOX_NOT_FOUND, the workspace lacks one of them.
    """
    wanted = sorted(mailbox_ids)
    found = (
        select(_MAILBOXES.c.id)
        .where(
            _MAILBOXES.c.workspace_id == workspace_id,
            _MAILBOXES.c.id == any_(literal(wanted, ARRAY(BigInteger))),
            _MAILBOXES.c.delete_time.is_(None),
        )
        .order_by(_MAILBOXES.c.id)
        .with_for_update(read=True)
    )
    missing = set(wanted) - set((await connection.execute(found)).scalars())
    if missing:
        names = ", ".join(map(str, sorted(missing)))
        raise NotFound(f"there is no such mailbox: {names}", reason="MAILBOX_NOT_FOUND")


async def share_living(connection: AsyncConnection, campaign_id: int) -> list[int]:
    """Holds those of a campaign's mailboxes that are there against being deleted; returns their ids."""
    lanes = tables.lanes
    found = (
        select(_MAILBOXES.c.id)
        .join(lanes, lanes.c.mailbox_id == _MAILBOXES.c.id)
        .where(lanes.c.campaign_id == campaign_id, _MAILBOXES.c.delete_time.is_(None))
        .order_by(_MAILBOXES.c.id)
        .with_for_update(read=True, of=_MAILBOXES)
    )
    return list((await connection.execute(found)).scalars())


async def check_known(connection: AsyncConnection, workspace_id: int, mailbox_id: int) -> None:
    """Sees that a filter names a mailbox of the workspace; also one that is deleted, for what it sent is there.

    Raises:
        NotFound: MAILBOX_NOT_FOUND.
    """
    mine = (_MAILBOXES.c.workspace_id == workspace_id) & (_MAILBOXES.c.id == literal(mailbox_id, BigInteger))
    if (await connection.execute(select(literal(1)).where(mine))).first() is None:
        raise _not_found()


async def _turn(connection: AsyncConnection, actor: Actor, mailbox_id: int, state: MailboxState, verb: str) -> None:
    stop = _NO_STOP
    if state is MailboxState.PAUSED:
        paused = {"stop_reason": int(StopReason.PAUSED), "stop_detail": f"paused by {actor.name}"}
        stop = {**paused, "stop_time": func.now()}
    turned = await connection.execute(
        update(_MAILBOXES)
        .where(_is(actor.workspace_id, mailbox_id), _MAILBOXES.c.state != int(state))
        .values(state=int(state), revision=_MAILBOXES.c.revision + 1, **stop)
    )
    if turned.rowcount:
        await audit.record(connection, actor, verb, f"mailboxes/{mailbox_id}")
        return
    if (await connection.execute(select(literal(1)).where(_is(actor.workspace_id, mailbox_id)))).first() is None:
        raise _not_found()


async def _lift(connection: AsyncConnection, mailbox_id: int, reason: ParkReason) -> bool:
    """Forgets a park of a whole mailbox; returns whether there was one."""
    lifted = await connection.execute(
        delete(_PARKS).where(
            _PARKS.c.mailbox_id == mailbox_id, _PARKS.c.campaign_id == GATE, _PARKS.c.reason == int(reason)
        )
    )
    return lifted.rowcount > 0


async def _lock(connection: AsyncConnection, workspace_id: int, mailbox_id: int) -> Row[*tuple[Any, ...]]:
    found = select(_MAILBOXES).where(_is(workspace_id, mailbox_id)).with_for_update(key_share=True)
    row = (await connection.execute(found)).first()
    if row is None:
        raise _not_found()
    return row


async def _write(connection: AsyncConnection, mailbox_id: int, **values: Any) -> None:
    await connection.execute(
        update(_MAILBOXES).where(_MAILBOXES.c.id == mailbox_id).values(revision=_MAILBOXES.c.revision + 1, **values)
    )


async def _users(connection: AsyncConnection, mailbox_id: int) -> list[tuple[int, str]]:
    campaigns, lanes = tables.campaigns, tables.lanes
    found = (
        select(campaigns.c.id, campaigns.c.name)
        .join(lanes, lanes.c.campaign_id == campaigns.c.id)
        .where(
            lanes.c.mailbox_id == mailbox_id,
            campaigns.c.state.in_(_UNENDED),
            # One that left it may have something in it yet: what was in flight, or waits for the end of a first try.
            lanes.c.leave_time.is_(None) | _has_open(campaigns.c.id, mailbox_id),
        )
        .order_by(campaigns.c.id)
        .limit(USERS_NAMED + 1)
    )
    return [(row.id, row.name) for row in await connection.execute(found)]


def _has_open(campaign_id: ColumnElement[int], mailbox_id: int) -> ColumnElement[bool]:
    messages = tables.messages
    is_open = messages.c.state.in_((int(MessageState.PENDING), int(MessageState.SENDING)))
    mine = (messages.c.campaign_id == campaign_id) & (messages.c.mailbox_id == mailbox_id)
    return select(literal(1)).where(mine, is_open).exists()


async def _parks(connection: AsyncConnection, mailbox_ids: Sequence[int]) -> dict[int, list[Park]]:
    """What holds whole mailboxes now, the longest first."""
    found = (
        select(_PARKS)
        .where(_PARKS.c.mailbox_id.in_(mailbox_ids), _PARKS.c.campaign_id == GATE, _PARKS.c.until_time > func.now())
        .order_by(_PARKS.c.until_time.desc())
    )
    parks: dict[int, list[Park]] = {}
    for row in await connection.execute(found):
        parks.setdefault(row.mailbox_id, []).append(Park(ParkReason(row.reason), row.until_time, row.detail))
    return parks


def _is(workspace_id: int, mailbox_id: int) -> ColumnElement[bool]:
    # As a bigint: an id that is too large for the column is one that nobody has, not an error.
    return (
        (_MAILBOXES.c.workspace_id == workspace_id)
        & (_MAILBOXES.c.id == literal(mailbox_id, BigInteger))
        & _MAILBOXES.c.delete_time.is_(None)
    )


def _columns(settings: Settings) -> dict[str, Any]:
    """All columns of the settings but the secrets."""
    smtp = settings.smtp
    return {
        "address": settings.address,
        "address_key": address_key(settings.address),
        "display_name": settings.display_name,
        "host": smtp.host,
        "port": smtp.port,
        "security": smtp.security,
        "username": smtp.username,
        "hourly_limit": settings.hourly_limit,
        "daily_limit": settings.daily_limit,
        "min_gap_us": settings.min_gap_us,
        "max_in_flight": settings.max_connections,
        "dkim_domain": settings.dkim.domain,
        "dkim_selector": settings.dkim.selector,
    }


def _secrets(row: Row[*tuple[Any, ...]], changes: Changes, new: Settings, sealer: Sealer) -> dict[str, bytes | None]:
    """The columns of secrets that change: what is given or given up, and what is kept for a new address."""
    workspace, was, now = row.workspace_id, row.address_key, address_key(new.address)
    changed: dict[str, bytes | None] = {}
    if "password" in changes.fields:
        changed["password"] = _sealed(new, workspace, sealer)
    elif row.password is not None and now != was:
        changed["password"] = sealer.seal(sealer.open(row.password, workspace, was), workspace, now)
    if "dkim_private_key" in changes.fields or not new.dkim.domain:
        changed["dkim_key"] = _sealed_key(new, workspace, sealer)
    elif row.dkim_key is not None and now != was:
        key = sealer.open(row.dkim_key, workspace, dkim_place(was))
        changed["dkim_key"] = sealer.seal(key, workspace, dkim_place(now))
    return changed


def _sealed(settings: Settings, workspace_id: int, sealer: Sealer) -> bytes | None:
    password = settings.smtp.password
    return sealer.seal(password, workspace_id, address_key(settings.address)) if password else None


def _sealed_key(settings: Settings, workspace_id: int, sealer: Sealer) -> bytes | None:
    dkim = settings.dkim
    if not dkim.domain or not dkim.private_key:
        return None
    return sealer.seal(dkim.private_key, workspace_id, dkim_place(address_key(settings.address)))


def _settings(row: Row[*tuple[Any, ...]]) -> Settings:
    smtp = Smtp(row.host, row.port, row.security, row.username, None)
    dkim = Dkim(row.dkim_domain, row.dkim_selector, None)
    limits = (row.hourly_limit, row.daily_limit, row.min_gap_us, row.max_in_flight)
    return Settings(row.address, row.display_name, smtp, *limits, dkim)


def _mailbox(row: Row[*tuple[Any, ...]], parks: Sequence[Park]) -> Mailbox:
    return Mailbox(
        id=row.id,
        workspace_id=row.workspace_id,
        settings=_settings(row),
        has_password=row.password is not None,
        state=MailboxState(row.state),
        parks=tuple(parks),
        create_time=row.create_time,
        stop=None if row.stop_time is None else Stop(StopReason(row.stop_reason), row.stop_time, row.stop_detail),
        learned=_learned(row),
    )


def _learned(row: Row[*tuple[Any, ...]]) -> Learned | None:
    if row.learned_cap is None or row.learned_cap >= row.max_in_flight:
        return None
    return Learned(row.learned_cap, row.learn_time)


def _not_found() -> NotFound:
    return NotFound("there is no such mailbox", reason="MAILBOX_NOT_FOUND")


def _taken(error: IntegrityError) -> Exception:
    if "mailboxes_address" in str(error.orig):
        return AlreadyExists("the workspace has a mailbox of this address", reason="ADDRESS_TAKEN")
    return error
