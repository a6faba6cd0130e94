"""What a preview is put together from: a campaign, somebody to write to, a mailbox."""

from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane_chassis.errors import InvalidArgument, NotFound, Violation
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.campaign import Campaign
from maillane_scheduler.preview import from_header, preview
from maillane_scheduler.store import campaigns, mailboxes, recipient_reads
from maillane_scheduler.store.recipient_reads import Person
from maillane_scheduler.templates import FilledTooLong, TemplateError
from maillane_scheduler.unsubscribe_link import IN_PREVIEWS, VARIABLE, UnsubscribeLinks
from maillane_scheduler.validation.previews import As, PreviewAsked


async def answer(
    connection: AsyncConnection, workspace_id: int, asked: PreviewAsked, links: UnsubscribeLinks
) -> pb.PreviewMessageResponse:
    """The message that is asked for.

    Raises:
        NotFound: CAMPAIGN_NOT_FOUND, MESSAGE_NOT_FOUND, RECIPIENT_NOT_FOUND or MAILBOX_NOT_FOUND.
    """
    campaign = None
    if asked.campaign_id is not None:
        campaign = await campaigns.get(connection, workspace_id, asked.campaign_id)
    person = await _person(connection, campaign, asked.as_whom)
    template = asked.template or (campaign.plan.template if campaign else None)
    assert template is not None, "the rules ask for one of them"
    variables = person.variables
    if links:
        # A link that ends nothing: who looks at a message must not unsubscribe its recipient by a click.
        variables = {**variables, VARIABLE: links.url_of(IN_PREVIEWS)}
    try:
        shown = preview(template, variables)
    except TemplateError as error:
        raise InvalidArgument([Violation("template", str(error))]) from None
    except FilledTooLong:
        raise InvalidArgument([Violation("template", "must have at most 3 MiB with its values")]) from None
    return pb.PreviewMessageResponse(
        recipient=person.email,
        subject=shown.subject,
        text=shown.text,
        html=shown.html,
        variables=shown.variables,
        missing=shown.missing,
        recipients=campaign.counts.total if campaign else 0,
        message_id="" if person.message_id is None else str(person.message_id),
        # A word of Python's, so that it can be no argument by itself.
        **{"from": await _from(connection, workspace_id, asked.mailbox_id, _mailbox_id(person, campaign))},
    )


async def _person(connection: AsyncConnection, campaign: Campaign | None, as_whom: As) -> Person:
    if as_whom.sample is not None or campaign is None:
        sample = as_whom.sample
        return Person(sample.email, sample.variables) if sample else Person()
    if as_whom.message_id is not None:
        return await recipient_reads.of_message(connection, campaign.id, as_whom.message_id)
    if as_whom.index is None and not campaign.counts.total:
        return Person()
    return await recipient_reads.nth(connection, campaign.id, as_whom.index or 0)


def _mailbox_id(person: Person, campaign: Campaign | None) -> int | None:
    """The message's own, or the campaign's first."""
    first = next(iter(campaign.plan.mailbox_ids), None) if campaign else None
    return person.mailbox_id or first


async def _from(connection: AsyncConnection, workspace_id: int, asked: int | None, own: int | None) -> str:
    if asked is None and own is None:
        return ""
    try:
        settings = (await mailboxes.get(connection, workspace_id, asked or own or 0)).settings
    except NotFound:
        if asked is not None:
            raise
        # It left from a mailbox that is deleted by now.
        return ""
    return from_header(settings.address, settings.display_name)
