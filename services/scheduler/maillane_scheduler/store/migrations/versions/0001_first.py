"""The first schema.

Revision: 0001.
"""

from alembic import op
from sqlalchemy import text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE workspaces (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  stopped boolean NOT NULL DEFAULT false,
  create_time timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tokens (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_id integer NOT NULL REFERENCES workspaces,
  name text NOT NULL,
  role smallint NOT NULL,
  hash bytea NOT NULL UNIQUE,
  create_time timestamptz NOT NULL DEFAULT now(),
  last_use_time timestamptz,
  revoke_time timestamptz
);
CREATE INDEX tokens_workspace ON tokens (workspace_id, id);

CREATE TABLE requests (
  workspace_id integer NOT NULL REFERENCES workspaces,
  request_id text NOT NULL,
  method text NOT NULL,
  body_hash bytea NOT NULL,
  resource_id bigint,
  create_time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, request_id)
);
CREATE INDEX requests_time ON requests (create_time);

CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_id integer NOT NULL REFERENCES workspaces,
  token_id bigint,
  verb text NOT NULL,
  resource text NOT NULL,
  detail jsonb,
  peer text NOT NULL DEFAULT '',
  create_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_workspace ON audit (workspace_id, id);

CREATE TABLE mailboxes (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_id integer NOT NULL REFERENCES workspaces,
  address text NOT NULL,
  address_key text NOT NULL,
  display_name text NOT NULL,
  host text NOT NULL,
  port integer NOT NULL,
  security smallint NOT NULL,
  username text NOT NULL,
  password bytea,
  hourly_limit integer NOT NULL,
  daily_limit integer,
  min_gap_us bigint NOT NULL,
  max_in_flight smallint NOT NULL DEFAULT 5,
  backoff_level smallint NOT NULL DEFAULT 0,
  state smallint NOT NULL DEFAULT 1,
  revision bigint NOT NULL DEFAULT 1,
  queue_revision bigint NOT NULL DEFAULT 0,
  create_time timestamptz NOT NULL DEFAULT now(),
  delete_time timestamptz
);
CREATE UNIQUE INDEX mailboxes_address ON mailboxes (workspace_id, address_key) WHERE delete_time IS NULL;
CREATE INDEX mailboxes_workspace ON mailboxes (workspace_id, id);
CREATE INDEX mailboxes_dirty ON mailboxes (id) WHERE queue_revision <> revision;

CREATE TABLE campaigns (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workspace_id integer NOT NULL REFERENCES workspaces,
  key text NOT NULL,
  name text NOT NULL,
  subject text NOT NULL,
  text text NOT NULL,
  html text NOT NULL,
  start_time timestamptz,
  delay_us bigint NOT NULL,
  hourly_limit integer,
  unconfirmed_policy smallint NOT NULL DEFAULT 1,
  state smallint NOT NULL DEFAULT 1,
  state_reason text NOT NULL DEFAULT '',
  revision bigint NOT NULL DEFAULT 1,
  queue_revision bigint NOT NULL DEFAULT 1,
  create_time timestamptz NOT NULL DEFAULT now(),
  end_time timestamptz
);
CREATE INDEX campaigns_workspace ON campaigns (workspace_id, id);
CREATE INDEX campaigns_dirty ON campaigns (id) WHERE queue_revision <> revision;
CREATE INDEX campaigns_open ON campaigns (id) WHERE state IN (2, 3);
CREATE INDEX campaigns_resend ON campaigns (id) WHERE unconfirmed_policy = 2;

CREATE TABLE lanes (
  campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
  mailbox_id integer NOT NULL REFERENCES mailboxes,
  position smallint NOT NULL,
  base timestamptz,
  size integer NOT NULL DEFAULT 0,
  PRIMARY KEY (campaign_id, mailbox_id)
);
CREATE INDEX lanes_mailbox ON lanes (mailbox_id);

CREATE TABLE marks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
  mailbox_id integer NOT NULL,
  first_id bigint NOT NULL,
  last_id bigint NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE campaign_counts (
  campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
  slot smallint NOT NULL,
  pending integer NOT NULL DEFAULT 0,
  sending integer NOT NULL DEFAULT 0,
  sent integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  unconfirmed integer NOT NULL DEFAULT 0,
  suppressed integer NOT NULL DEFAULT 0,
  cancelled integer NOT NULL DEFAULT 0,
  PRIMARY KEY (campaign_id, slot)
) WITH (fillfactor = 50);
CREATE INDEX campaign_counts_unconfirmed ON campaign_counts (campaign_id) WHERE unconfirmed <> 0;

CREATE TABLE campaign_variables (
  campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
  name text NOT NULL,
  present integer NOT NULL,
  PRIMARY KEY (campaign_id, name)
);

CREATE TABLE imports (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
  expire_time timestamptz NOT NULL
);
CREATE INDEX imports_campaign ON imports (campaign_id);

CREATE TABLE messages (
  id bigint PRIMARY KEY,
  campaign_id bigint NOT NULL,
  token bigint,
  retry_time timestamptz,
  mailbox_id integer NOT NULL,
  ordinal integer NOT NULL,
  line integer NOT NULL,
  state smallint NOT NULL DEFAULT 1,
  attempt smallint NOT NULL DEFAULT 0,
  email text NOT NULL,
  variables text NOT NULL
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.1);
CREATE UNIQUE INDEX messages_email ON messages (campaign_id, lower(email));
CREATE INDEX messages_campaign ON messages (campaign_id, id);
CREATE SEQUENCE message_blocks INCREMENT BY 10000 START 10000;

CREATE TABLE attempts (
  message_id bigint NOT NULL,
  campaign_id bigint NOT NULL,
  claim_time timestamptz NOT NULL,
  settle_time timestamptz NOT NULL,
  mailbox_id integer NOT NULL,
  number smallint NOT NULL,
  state smallint NOT NULL,
  code smallint NOT NULL,
  reply text NOT NULL
);
CREATE INDEX attempts_message ON attempts (message_id);
CREATE INDEX attempts_outcome ON attempts (campaign_id, state, message_id);
CREATE INDEX attempts_time ON attempts USING brin (settle_time);

CREATE TABLE resends (
  message_id bigint PRIMARY KEY,
  campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
  ready_time timestamptz NOT NULL
);
CREATE INDEX resends_ready ON resends (ready_time);

CREATE TABLE rejections (
  campaign_id bigint PRIMARY KEY REFERENCES campaigns ON DELETE CASCADE,
  score double precision NOT NULL
);

CREATE TABLE claims (
  token bigint PRIMARY KEY,
  claim_id bigint NOT NULL UNIQUE,
  sender_id text NOT NULL,
  incarnation text NOT NULL,
  lease_until timestamptz,
  create_time timestamptz NOT NULL DEFAULT now(),
  ids bigint[] NOT NULL
);
CREATE INDEX claims_lease ON claims (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX claims_time ON claims USING brin (create_time);

CREATE TABLE permits (
  token bigint NOT NULL,
  campaign_id bigint NOT NULL,
  workspace_id integer NOT NULL,
  mailbox_id integer NOT NULL,
  reserve_time timestamptz NOT NULL,
  permits integer NOT NULL,
  refunded integer NOT NULL DEFAULT 0,
  address_key text NOT NULL,
  reservation_id text NOT NULL,
  PRIMARY KEY (token, campaign_id, mailbox_id)
);
CREATE INDEX permits_workspace ON permits (workspace_id, reserve_time);
CREATE INDEX permits_time ON permits USING brin (reserve_time);

CREATE TABLE senders (
  sender_id text NOT NULL,
  incarnation text NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  replace_time timestamptz,
  PRIMARY KEY (sender_id, incarnation)
);

CREATE TABLE parks (
  mailbox_id integer NOT NULL REFERENCES mailboxes ON DELETE CASCADE,
  campaign_id bigint NOT NULL,
  reason smallint NOT NULL,
  until_time timestamptz NOT NULL,
  detail text NOT NULL,
  PRIMARY KEY (mailbox_id, campaign_id, reason)
);

CREATE TABLE suppressions (
  workspace_id integer NOT NULL REFERENCES workspaces,
  email text NOT NULL,
  reason smallint NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, email)
);

CREATE TABLE counters (
  workspace_id integer PRIMARY KEY,
  epoch bigint NOT NULL
);
INSERT INTO counters VALUES (0, 0);

CREATE TABLE queue_shards (
  shard integer PRIMARY KEY,
  generation bigint NOT NULL
);
"""


def upgrade() -> None:
    """Makes all tables, as `store/tables.py` describes them."""
    op.execute(text(_TABLES))
