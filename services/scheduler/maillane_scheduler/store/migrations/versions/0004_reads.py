"""Indexes for searches of recipients by domain, and for outcomes by time.

Revision: 0004_reads, after 0003_moves.
"""

from alembic import op
from sqlalchemy import text

revision = "0004_reads"
down_revision = "0003_moves"
branch_labels = None
depends_on = None

_CHANGES = """
CREATE INDEX messages_domain ON messages (campaign_id, split_part(lower(email), '@', 2) text_pattern_ops);
CREATE INDEX attempts_settled ON attempts (campaign_id, settle_time, message_id);
"""


def upgrade() -> None:
    """Adds indexes only, so that the version before runs on it."""
    op.execute(text(_CHANGES))
