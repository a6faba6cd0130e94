"""Valid mailboxes and campaigns, to be made with one thing changed."""

from __future__ import annotations

import itertools
from typing import Any

from google.protobuf.duration_pb2 import Duration
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb

from .scheduler_api import Client, chunks

_numbers = itertools.count(1)


def mailbox_of(**changes: Any) -> mailbox_pb.Mailbox:
    """A mailbox with an address of its own."""
    smtp = mailbox_pb.Smtp(
        host="smtp.example.com", port=587, security=mailbox_pb.SECURITY_STARTTLS, username="u", password="s3cret"
    )
    return mailbox_pb.Mailbox(**{"address": f"box{next(_numbers)}@example.com", "smtp": smtp, **changes})


def campaign_of(*mailbox_ids: str, **changes: Any) -> campaign_pb.Campaign:
    """A campaign that lacks only recipients."""
    template = campaign_pb.Template(subject="Hi {{name|there}}", text="Hello")
    values = {"name": "Spring", "mailbox_ids": mailbox_ids, "template": template, "delay": Duration(seconds=5)}
    return campaign_pb.Campaign(**{**values, **changes})


async def make_mailbox(client: Client, **changes: Any) -> Any:
    request = mailbox_pb.CreateMailboxRequest(mailbox=mailbox_of(**changes))
    return (await client.CreateMailbox(request)).mailbox


async def make_campaign(client: Client, recipients: int = 0, **changes: Any) -> Any:
    """A draft, in a mailbox of its own unless mailbox_ids are given, with so many recipients."""
    mailbox_ids = changes.pop("mailbox_ids", None) or [(await make_mailbox(client)).id]
    request = campaign_pb.CreateCampaignRequest(campaign=campaign_of(*mailbox_ids, **changes))
    campaign = (await client.CreateCampaign(request)).campaign
    if recipients:
        await client.ImportRecipients(chunks(campaign.id, [f"r{n}@example.com" for n in range(recipients)]))
    return (await client.GetCampaign(campaign_pb.GetCampaignRequest(campaign_id=campaign.id))).campaign


async def start(client: Client, campaign_id: str) -> Any:
    return (await client.StartCampaign(campaign_pb.StartCampaignRequest(campaign_id=campaign_id))).campaign
