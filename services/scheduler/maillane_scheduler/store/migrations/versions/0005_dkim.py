"""Mailboxes that sign their messages.

Revision: 0005_dkim, after 0004_reads.
"""

from alembic import op
from sqlalchemy import text

revision = "0005_dkim"
down_revision = "0004_reads"
branch_labels = None
depends_on = None

_CHANGES = """
ALTER TABLE mailboxes
  ADD COLUMN dkim_domain text NOT NULL DEFAULT '',
  ADD COLUMN dkim_selector text NOT NULL DEFAULT '',
  ADD COLUMN dkim_key bytea;
"""


def upgrade() -> None:
    """Adds columns with defaults, so that the version before runs on it."""
    op.execute(text(_CHANGES))
