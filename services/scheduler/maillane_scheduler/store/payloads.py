"""What senders need beside the messages: how to reach a mailbox's server, and what messages are made from."""

from collections.abc import Callable
from dataclasses import dataclass, field

from maillane_chassis.errors import NotFound

from maillane_scheduler.sealing import dkim_place
from maillane_scheduler.store.caps import CAP
from maillane_scheduler.store.engine import DispatchPool

Unseal = Callable[[bytes, int, str], str]
"""Opens a sealed secret, given the workspace and the place that it was sealed for."""


@dataclass(frozen=True, slots=True)
class TransportRow:
    """A mailbox's server, with its password and private key in the clear."""

    revision: int
    address: str
    display_name: str
    host: str
    port: int
    security: int
    username: str
    password: str = field(repr=False)
    max_connections: int
    dkim_domain: str
    dkim_selector: str
    dkim_private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A campaign's template."""

    revision: int
    subject: str
    text: str
    html: str
    campaign_key: str
    test: bool


_TRANSPORT = f"""
SELECT revision, address, display_name, host, port, security, username, password, {CAP}, workspace_id,
       address_key, dkim_domain, dkim_selector, dkim_key
FROM mailboxes b WHERE id = $1 AND delete_time IS NULL
""".encode()
_TEMPLATE = b"SELECT revision, subject, text, html, key, kind = 2 FROM campaigns WHERE id = $1 AND state <> 1"


async def transport(pool: DispatchPool, mailbox: int, unseal: Unseal) -> TransportRow:
    """How to reach a mailbox's server.

    Raises:
        NotFound: there is no such mailbox.
    """
    async with pool.connection() as connection:
        row = await (await connection.execute(_TRANSPORT, (mailbox,))).fetchone()
    if row is None:
        raise NotFound("there is no such mailbox", reason="MAILBOX_NOT_FOUND")
    revision, address, display_name, host, port, security, username = row[:7]
    sealed, most, workspace, address_key, domain, selector, sealed_key = row[7:]
    password = "" if sealed is None else unseal(bytes(sealed), workspace, address_key)
    key = "" if sealed_key is None else unseal(bytes(sealed_key), workspace, dkim_place(address_key))
    return TransportRow(
        *(revision, address, display_name, host, port, security, username), password, most, domain, selector, key
    )


async def template(pool: DispatchPool, campaign: int) -> TemplateRow:
    """What a started campaign's messages are made from.

    Raises:
        NotFound: there is no such campaign, or it is a draft.
    """
    async with pool.connection() as connection:
        row = await (await connection.execute(_TEMPLATE, (campaign,))).fetchone()
    if row is None:
        raise NotFound("there is no such campaign", reason="CAMPAIGN_NOT_FOUND")
    return TemplateRow(*row)
