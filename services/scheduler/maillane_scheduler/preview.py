"""A message as its recipient would get it, from its template and values: what senders make, in text."""

from collections.abc import Mapping
from dataclasses import dataclass

from maillane_scheduler import templates
from maillane_scheduler.campaign import Template

# Bytes of subject and bodies: they come in one answer, whose limit is 4 MiB.
MAX_SHOWN = 3 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Preview:
    """Subject and bodies with values in them; `missing` by the alphabet: they stand as they are written."""

    subject: str
    text: str
    html: str
    variables: dict[str, str]
    missing: list[str]


def preview(template: Template, variables: Mapping[str, str]) -> Preview:
    """Fills a template. Nothing is too long or forbidden here: what a sender would refuse is shown, too.

    Raises:
        TemplateError: two opening braces begin no placeholder.
        FilledTooLong: it would have more than MAX_SHOWN bytes.
    """
    subject = templates.fill(template.subject, variables)
    text = templates.fill(template.text, variables)
    html = templates.fill(template.html, variables, escape=True)
    parts = (subject, text, html)
    if sum(len(part.text.encode()) for part in parts) > MAX_SHOWN:
        raise templates.FilledTooLong
    return Preview(
        subject.text,
        text.text,
        html.text,
        variables={name: value for part in parts for name, value in part.values.items()},
        missing=sorted(frozenset[str]().union(*(part.missing for part in parts))),
    )


def from_header(address: str, display_name: str) -> str:
    """Whom a message is from, as readers show it."""
    return f"{display_name} <{address}>" if display_name else address
