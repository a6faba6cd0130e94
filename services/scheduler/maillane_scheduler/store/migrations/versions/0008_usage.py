"""Sums of attempts by the hour, and up to when they are summed.

Revision: 0008_usage, after 0007_seams.
"""

from alembic import op
from sqlalchemy import text

revision = "0008_usage"
down_revision = "0007_seams"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE TABLE outcome_hours (
  campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
  hour timestamptz NOT NULL,
  mailbox_id integer NOT NULL,
  sent integer NOT NULL,
  failed integer NOT NULL,
  unconfirmed integer NOT NULL,
  PRIMARY KEY (campaign_id, hour, mailbox_id)
);
CREATE TABLE summed_hours (
  id smallint PRIMARY KEY,
  until_time timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Adds tables, which the version before does not know."""
    op.execute(text(_CHANGES))
