"""Who paused or cancelled a campaign; what came back to a lane that was left; parks by the deployment's cap; an index.

Revision: 0007_seams, after 0006_caps.
"""

from alembic import op
from sqlalchemy import text

revision = "0007_seams"
down_revision = "0006_caps"
branch_labels = None
depends_on = None

# Until now the reason in words was all that said who it was.
_CHANGES = """
ALTER TABLE campaigns ADD COLUMN state_actor text NOT NULL DEFAULT '';
UPDATE campaigns SET state_actor = regexp_replace(state_reason, '^(paused|cancelled) by ', '')
  WHERE state_reason ~ '^(paused|cancelled) by ';
CREATE INDEX campaigns_ended ON campaigns (end_time) WHERE state IN (4, 5);
ALTER TABLE lanes ADD COLUMN has_returned boolean NOT NULL DEFAULT false;
ALTER TABLE parks ADD COLUMN of_deployment boolean NOT NULL DEFAULT false;
CREATE INDEX parks_deployment ON parks (mailbox_id) WHERE of_deployment;
"""


def upgrade() -> None:
    """Adds columns with defaults, so that the version before runs on it."""
    op.execute(text(_CHANGES))
