"""People: users, memberships, sessions, invitations.

Revision: 0002_identity.
"""

from alembic import op
from sqlalchemy import text

revision = "0002_identity"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  issuer text NOT NULL,
  subject text NOT NULL,
  email text NOT NULL,
  name text NOT NULL,
  picture text NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_subject ON users (issuer, subject);

CREATE TABLE memberships (
  workspace_id integer NOT NULL REFERENCES workspaces,
  user_id bigint NOT NULL REFERENCES users,
  role smallint NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  enter_time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id, workspace_id);

CREATE TABLE sessions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_id integer NOT NULL,
  user_id bigint NOT NULL,
  hash bytea NOT NULL UNIQUE,
  create_time timestamptz NOT NULL DEFAULT now(),
  use_time timestamptz NOT NULL DEFAULT now(),
  expire_time timestamptz NOT NULL,
  FOREIGN KEY (workspace_id, user_id) REFERENCES memberships ON DELETE CASCADE
);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_membership ON sessions (workspace_id, user_id);
CREATE INDEX sessions_expire ON sessions (expire_time);

CREATE TABLE invitations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_id integer NOT NULL REFERENCES workspaces,
  email text NOT NULL,
  role smallint NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  expire_time timestamptz NOT NULL
);
CREATE UNIQUE INDEX invitations_email ON invitations (email, workspace_id);
CREATE INDEX invitations_workspace ON invitations (workspace_id, id);

ALTER TABLE audit ADD COLUMN user_id bigint;
"""


def upgrade() -> None:
    """Makes them, as `store/tables.py` describes them."""
    op.execute(text(_TABLES))
