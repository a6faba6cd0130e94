"""Campaigns that are tests, moves between mailboxes, since when a mailbox is stopped, why an address is suppressed.

Revision: 0003_moves, after 0002_identity.
"""

from alembic import op
from sqlalchemy import text

revision = "0003_moves"
down_revision = "0002_identity"
branch_labels = None
depends_on = None

_CHANGES = """
ALTER TABLE campaigns ADD COLUMN kind smallint NOT NULL DEFAULT 1, ADD COLUMN move_after_us bigint;
CREATE INDEX campaigns_move ON campaigns (id) WHERE move_after_us IS NOT NULL AND state IN (2, 3);
CREATE INDEX campaigns_tests ON campaigns (workspace_id, create_time) WHERE kind = 2 AND state IN (2, 3);
ALTER TABLE lanes ADD COLUMN leave_time timestamptz;
ALTER TABLE mailboxes ADD COLUMN stop_reason smallint, ADD COLUMN stop_time timestamptz,
  ADD COLUMN stop_detail text NOT NULL DEFAULT '';
ALTER TABLE suppressions ADD COLUMN campaign_id bigint, ADD COLUMN added_by text NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    """Adds columns with defaults only, so that the version before runs on it."""
    op.execute(text(_CHANGES))
