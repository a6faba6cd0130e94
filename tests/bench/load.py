"""Campaigns that are written straight into the tables: what is measured is not how they came there."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Sql: TypeAlias = Callable[..., list[tuple[Any, ...]]]

LANE_IDS: Final = 1_000_000
"""A lane's ids begin at a multiple of it, a campaign's at a multiple of ten times as many."""

SUBJECT: Final = "An offer for {{company}}, {{name}}"
TEXT: Final = (
    "Dear {{name}},\n\nwe looked at what {{company}} does in {{city}}, and believe that we can save you a day a "
    "week. Would a call of ten minutes next Tuesday suit you? If not, a word is enough, and you will not hear of us "
    "again.\n\nKind regards\nAnn Example\n"
)
HTML: Final = (
    "<html><body><p>Dear {{name}},</p><p>we looked at what <b>{{company}}</b> does in {{city}}, and believe that we "
    "can save you a day a week.</p><p>Would a call of ten minutes next Tuesday suit you? If not, a word is enough, and "
    "you will not hear of us again.</p><p>Kind regards<br>Ann Example<br>"
    '<a href="https://example.com/{{city}}">Example</a></p></body></html>\n'
)
"""Peers send the same, with their own way to put values in (peers/queue.mjs)."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a campaign says."""

    subject: str = SUBJECT
    text: str = TEXT
    html: str = HTML


def fill(
    sql: Sql, each: int, hourly: int, start: str, every_us: int, mailboxes: int, port: int, template: Template
) -> int:
    """A started campaign with marks for the queue to load; returns its id. The arguments are those of `Rig.fill`."""
    [(workspace,)] = sql("SELECT id FROM workspaces LIMIT 1")
    name = secrets.token_hex(4)
    campaign = _campaign(sql, workspace, name, each * mailboxes, template)
    for place in range(mailboxes):
        mailbox = _mailbox(sql, workspace, f"{name}{place}", hourly, port)
        sql(
            "INSERT INTO lanes (campaign_id, mailbox_id, position, base, size) VALUES (%s, %s, %s, "
            "now() + %s::interval + %s * interval '10 ms', %s)",
            *(campaign, mailbox, place, start, place, each),
        )
        sql(
            """INSERT INTO messages (id, campaign_id, mailbox_id, ordinal, line, email, retry_time, variables)
               SELECT %s::bigint * 10 * %s + %s * %s + n, %s::bigint, %s, n - 1, n,
                      'r' || n || '.' || %s || '@example.com', l.base + n * %s * interval '1 us',
                      '{"name": "Ann ' || n || '", "city": "Rome", "company": "Company ' || n %% 999 || '"}'
               FROM generate_series(1, %s) n JOIN lanes l ON l.mailbox_id = %s""",
            *(campaign, LANE_IDS, place, LANE_IDS, campaign, mailbox, mailbox, every_us, each, mailbox),
        )
        mark(sql, campaign, mailbox)
    sql("VACUUM ANALYZE messages")
    return campaign


def mark(sql: Sql, campaign: int, mailbox: int) -> None:
    """Says that the queue is to be told of a whole lane; old enough that the sweep works it off at once."""
    sql(
        "INSERT INTO marks (campaign_id, mailbox_id, first_id, last_id, create_time) "
        "VALUES (%s, %s, 0, 9223372036854775807, now() - interval '1 hour')",
        *(campaign, mailbox),
    )


def _campaign(sql: Sql, workspace: int, name: str, count: int, template: Template) -> int:
    [(campaign,)] = sql(
        """WITH c AS (
             INSERT INTO campaigns (workspace_id, key, name, subject, text, html, delay_us, state, queue_revision)
             VALUES (%s, %s, 'c', %s, %s, %s, 0, 2, 0) RETURNING id
           ) INSERT INTO campaign_counts (campaign_id, slot, pending) SELECT id, 0, %s FROM c RETURNING campaign_id""",
        *(workspace, name, template.subject, template.text, template.html, count),
    )
    return int(campaign)


def _mailbox(sql: Sql, workspace: int, name: str, hourly: int, port: int) -> int:
    [(mailbox,)] = sql(
        """INSERT INTO mailboxes (workspace_id, address, address_key, display_name, host, port, security, username,
             hourly_limit, min_gap_us, max_in_flight)
           VALUES (%s, %s, %s, '', '127.0.0.1', %s, 3, '', %s, 0, 1000) RETURNING id""",
        *(workspace, f"{name}@example.com", f"{name[:8]:0>15}{name[8:]}", port, hourly),
    )
    return int(mailbox)
