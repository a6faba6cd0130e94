"""Caps on a mailbox's messages in flight that are learned from its server.

Revision: 0006_caps, after 0005_dkim.
"""

from alembic import op
from sqlalchemy import text

revision = "0006_caps"
down_revision = "0005_dkim"
branch_labels = None
depends_on = None

_CHANGES = """
ALTER TABLE mailboxes ADD COLUMN learned_cap smallint, ADD COLUMN learn_time timestamptz;
CREATE INDEX mailboxes_learned ON mailboxes (learn_time) WHERE learned_cap IS NOT NULL;
"""


def upgrade() -> None:
    """Adds columns that may be null, so that the version before runs on it."""
    op.execute(text(_CHANGES))
