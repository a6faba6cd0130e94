"""The tables, for ordinary queries by SQLAlchemy Core. The migrations make them; a test holds the two together."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def _instant(name: str, *, nullable: bool = True) -> "Column[object]":
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _made(name: str = "create_time") -> "Column[object]":
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("stopped", Boolean, nullable=False, server_default=text("false")),
    _made(),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("workspace_id", Integer, ForeignKey("workspaces.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("role", SmallInteger, nullable=False),
    # SHA-256 of the secret: 256 random bits need no slow hash.
    Column("hash", LargeBinary, nullable=False, unique=True),
    _made(),
    _instant("last_use_time"),
    _instant("revoke_time"),
    Index("tokens_workspace", "workspace_id", "id"),
)

# People, each as an issuer and a subject of it: an address may change hands.
users = Table(
    "users",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    # As the provider said at the last sign-in.
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("picture", Text, nullable=False),
    _made(),
    Index("users_subject", "issuer", "subject", unique=True),
)

memberships = Table(
    "memberships",
    metadata,
    Column("workspace_id", Integer, ForeignKey("workspaces.id"), nullable=False),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("role", SmallInteger, nullable=False),
    _made(),
    # The next sign-in opens the workspace that was entered last.
    _made("enter_time"),
    PrimaryKeyConstraint("workspace_id", "user_id"),
    Index("memberships_user", "user_id", "workspace_id"),
)

# A session belongs to the membership that it opens, and goes with it.
sessions = Table(
    "sessions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("workspace_id", Integer, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    _made(),
    _made("use_time"),
    _instant("expire_time", nullable=False),
    ForeignKeyConstraint(
        ["workspace_id", "user_id"], ["memberships.workspace_id", "memberships.user_id"], ondelete="CASCADE"
    ),
    Index("sessions_user", "user_id", "id"),
    Index("sessions_membership", "workspace_id", "user_id"),
    Index("sessions_expire", "expire_time"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("workspace_id", Integer, ForeignKey("workspaces.id"), nullable=False),
    # In lower case.
    Column("email", Text, nullable=False),
    Column("role", SmallInteger, nullable=False),
    _made(),
    _instant("expire_time", nullable=False),
    Index("invitations_email", "email", "workspace_id", unique=True),
    Index("invitations_workspace", "workspace_id", "id"),
)

# Creates that carried a request id, so that a repeat returns the first answer.
requests = Table(
    "requests",
    metadata,
    Column("workspace_id", Integer, ForeignKey("workspaces.id"), nullable=False),
    Column("request_id", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("resource_id", BigInteger),
    _made(),
    PrimaryKeyConstraint("workspace_id", "request_id"),
    Index("requests_time", "create_time"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("workspace_id", Integer, ForeignKey("workspaces.id"), nullable=False),
    Column("token_id", BigInteger),
    Column("user_id", BigInteger),
    Column("verb", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("detail", JSONB),
    # From where the call came, as gRPC names it.
    Column("peer", Text, nullable=False, server_default=text("''")),
    _made(),
    Index("audit_workspace", "workspace_id", "id"),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("workspace_id", Integer, ForeignKey("workspaces.id"), nullable=False),
    Column("address", Text, nullable=False),
    # Names the address's counters: a mailbox deleted and made again has no fresh quota.
    Column("address_key", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("security", SmallInteger, nullable=False),
    Column("username", Text, nullable=False),
    # Sealed (AES-GCM); null: none.
    Column("password", LargeBinary),
    # Who signs (DKIM); empty: nobody. The key is sealed, and there where they are.
    Column("dkim_domain", Text, nullable=False, server_default=text("''")),
    Column("dkim_selector", Text, nullable=False, server_default=text("''")),
    Column("dkim_key", LargeBinary),
    Column("hourly_limit", Integer, nullable=False),
    Column("daily_limit", Integer),
    Column("min_gap_us", BigInteger, nullable=False),
    Column("max_in_flight", SmallInteger, nullable=False, server_default=text("5")),
    # What its server was found to allow, where that is less, and since when; null: no less.
    Column("learned_cap", SmallInteger),
    _instant("learn_time"),
    Column("backoff_level", SmallInteger, nullable=False, server_default=text("0")),
    Column("state", SmallInteger, nullable=False, server_default=text("1")),
    # Raised by every change; queue_revision is the one that the queue was last told of.
    Column("revision", BigInteger, nullable=False, server_default=text("1")),
    Column("queue_revision", BigInteger, nullable=False, server_default=text("0")),
    # Why and since when it sends nothing, through all tries in between: null while nothing stops it.
    Column("stop_reason", SmallInteger),
    _instant("stop_time"),
    Column("stop_detail", Text, nullable=False, server_default=text("''")),
    _made(),
    # Deleted ones stay for what they sent; their address is free again.
    _instant("delete_time"),
    Index(
        "mailboxes_address",
        "workspace_id",
        "address_key",
        unique=True,
        postgresql_where=text("delete_time IS NULL"),
    ),
    Index("mailboxes_workspace", "workspace_id", "id"),
    Index("mailboxes_learned", "learn_time", postgresql_where=text("learned_cap IS NOT NULL")),
    Index("mailboxes_dirty", "id", postgresql_where=text("queue_revision <> revision")),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("workspace_id", Integer, ForeignKey("workspaces.id"), nullable=False),
    # Random: part of each Message-ID, so that two deployments with one mail domain never make the same.
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    _instant("start_time"),
    Column("delay_us", BigInteger, nullable=False),
    Column("hourly_limit", Integer),
    Column("unconfirmed_policy", SmallInteger, nullable=False, server_default=text("1")),
    # A person's campaign, or the one message of a test, which no list shows.
    Column("kind", SmallInteger, nullable=False, server_default=text("1")),
    # How long a mailbox may be stopped before what waits in it moves to the others; null: for ever.
    Column("move_after_us", BigInteger),
    Column("state", SmallInteger, nullable=False, server_default=text("1")),
    Column("state_reason", Text, nullable=False, server_default=text("''")),
    # The name of who paused or cancelled it; empty where no person did.
    Column("state_actor", Text, nullable=False, server_default=text("''")),
    Column("revision", BigInteger, nullable=False, server_default=text("1")),
    Column("queue_revision", BigInteger, nullable=False, server_default=text("1")),
    _made(),
    _instant("end_time"),
    Index("campaigns_workspace", "workspace_id", "id"),
    Index("campaigns_dirty", "id", postgresql_where=text("queue_revision <> revision")),
    Index("campaigns_open", "id", postgresql_where=text("state IN (2, 3)")),
    Index("campaigns_ended", "end_time", postgresql_where=text("state IN (4, 5)")),
    Index("campaigns_resend", "id", postgresql_where=text("unconfirmed_policy = 2")),
    Index("campaigns_move", "id", postgresql_where=text("move_after_us IS NOT NULL AND state IN (2, 3)")),
    Index("campaigns_tests", "workspace_id", "create_time", postgresql_where=text("kind = 2 AND state IN (2, 3)")),
)

# The messages of one campaign in one mailbox. Due time of a message = base + ordinal × delay, or its retry time.
lanes = Table(
    "lanes",
    metadata,
    Column("campaign_id", BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    Column("mailbox_id", Integer, ForeignKey("mailboxes.id"), nullable=False),
    # Its place among the campaign's mailboxes, from 0.
    Column("position", SmallInteger, nullable=False),
    # Null in a draft.
    _instant("base"),
    # Ordinals given out so far.
    Column("size", Integer, nullable=False, server_default=text("0")),
    # The campaign does not use the mailbox any more: the lane stays for what it sent, and gets nothing new.
    _instant("leave_time"),
    # It was left, and something that was in flight then came back to it, or is to be sent again.
    Column("has_returned", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("campaign_id", "mailbox_id"),
    Index("lanes_mailbox", "mailbox_id"),
)

# What a lane of the queue still has to be told: load the lane's pending messages of these ids. Written in the commit
# that made it so (import, start, retry, a new plan), deleted once the queue has them; what is left behind is worked off
# each second. Rows, not a flag, so that two changes of one lane never hide one another and a retry never reloads a
# million messages.
marks = Table(
    "marks",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("campaign_id", BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    Column("mailbox_id", Integer, nullable=False),
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    _made(),
)

# Counts are kept by change, in a row for each of a few slots, so that schedulers do not wait for one another's commits:
# a campaign's count is the sum over its slots.
campaign_counts = Table(
    "campaign_counts",
    metadata,
    Column("campaign_id", BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    Column("slot", SmallInteger, nullable=False),
    *(
        Column(state, Integer, nullable=False, server_default=text("0"))
        for state in ("pending", "sending", "sent", "failed", "unconfirmed", "suppressed", "cancelled")
    ),
    PrimaryKeyConstraint("campaign_id", "slot"),
    # Few rows, and only a change of what it names leaves the heap page.
    Index("campaign_counts_unconfirmed", "campaign_id", postgresql_where=text("unconfirmed <> 0")),
    postgresql_with={"fillfactor": "50"},
)

# How many recipients of a campaign have a value for a variable.
campaign_variables = Table(
    "campaign_variables",
    metadata,
    Column("campaign_id", BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("present", Integer, nullable=False),
    PrimaryKeyConstraint("campaign_id", "name"),
)

# Imports that go on now. One that was left behind ends by its expire time, which each chunk moves.
imports = Table(
    "imports",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("campaign_id", BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    _instant("expire_time", nullable=False),
    Index("imports_campaign", "campaign_id"),
)

# One row a message, and nothing in it that its attempts say already. State is in no index and no index predicate, so
# that claim and settle stay on the heap page (HOT).
messages = Table(
    "messages",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("campaign_id", BigInteger, nullable=False),
    # Of the claim that holds it, or held it last.
    Column("token", BigInteger),
    _instant("retry_time"),
    Column("mailbox_id", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    # Where it stood in its import.
    Column("line", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False, server_default=text("1")),
    Column("attempt", SmallInteger, nullable=False, server_default=text("0")),
    Column("email", Text, nullable=False),
    # A JSON object of strings, as text: it is passed through, never searched.
    Column("variables", Text, nullable=False),
    # Two addresses that differ only in case are one recipient; each is kept as it was given.
    Index("messages_email", "campaign_id", text("lower(email)"), unique=True),
    Index("messages_campaign", "campaign_id", "id"),
    # For searches: what people remember of an address is its beginning, or its domain's.
    Index(
        "messages_domain",
        "campaign_id",
        text("split_part(lower(email), '@'::text, 2) text_pattern_ops"),
    ),
    postgresql_with={"fillfactor": "85", "autovacuum_vacuum_scale_factor": "0.1"},
)

# Append-only: what became of each try. Lists of what was sent or failed come from here.
attempts = Table(
    "attempts",
    metadata,
    Column("message_id", BigInteger, nullable=False),
    Column("campaign_id", BigInteger, nullable=False),
    _instant("claim_time", nullable=False),
    _instant("settle_time", nullable=False),
    Column("mailbox_id", Integer, nullable=False),
    Column("number", SmallInteger, nullable=False),
    # Of the message, by this try.
    Column("state", SmallInteger, nullable=False),
    Column("code", SmallInteger, nullable=False),
    Column("reply", Text, nullable=False),
    Index("attempts_message", "message_id"),
    Index("attempts_outcome", "campaign_id", "state", "message_id"),
    Index("attempts_time", "settle_time", postgresql_using="brin"),
    # Lists of outcomes, the latest first, and sums by hour.
    Index("attempts_settled", "campaign_id", "settle_time", "message_id"),
)

# Sums of attempts: of a lane, in an hour of UTC that is over.
outcome_hours = Table(
    "outcome_hours",
    metadata,
    Column("campaign_id", BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    _instant("hour", nullable=False),
    Column("mailbox_id", Integer, nullable=False),
    *(Column(state, Integer, nullable=False) for state in ("sent", "failed", "unconfirmed")),
    PrimaryKeyConstraint("campaign_id", "hour", "mailbox_id"),
)

# One row: up to when attempts are summed.
summed_hours = Table(
    "summed_hours",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    _instant("until_time", nullable=False),
)

# Messages that are PENDING again though nobody knows what became of their first try: each waits until that can no
# longer succeed. Until then its retry time is the end of time, so that no clock that jumps lets it go.
resends = Table(
    "resends",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("campaign_id", BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False),
    _instant("ready_time", nullable=False),
    Index("resends_ready", "ready_time"),
)

# How much of a campaign mail servers refuse because of what it sends, as store.rejections counts it.
rejections = Table(
    "rejections",
    metadata,
    Column(
        "campaign_id", BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("score", Double, nullable=False),
)

# What a sender holds: a row a claim. Replays and the lease sweep find messages through it.
claims = Table(
    "claims",
    metadata,
    Column("token", BigInteger, primary_key=True, autoincrement=False),
    Column("claim_id", BigInteger, nullable=False, unique=True),
    Column("sender_id", Text, nullable=False),
    Column("incarnation", Text, nullable=False),
    # Null: closed, nothing of it is SENDING any more.
    _instant("lease_until"),
    _made(),
    # Sorted. Empty: a tombstone, no claim of this id will ever commit.
    Column("ids", ARRAY(BigInteger), nullable=False),
    Index("claims_lease", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
    Index("claims_time", "create_time", postgresql_using="brin"),
)

# The permits that a claim used, by lane, in the window in which they were reserved: what counters are restored from.
permits = Table(
    "permits",
    metadata,
    Column("token", BigInteger, nullable=False),
    Column("campaign_id", BigInteger, nullable=False),
    Column("workspace_id", Integer, nullable=False),
    Column("mailbox_id", Integer, nullable=False),
    _instant("reserve_time", nullable=False),
    Column("permits", Integer, nullable=False),
    Column("refunded", Integer, nullable=False, server_default=text("0")),
    Column("address_key", Text, nullable=False),
    Column("reservation_id", Text, nullable=False),
    PrimaryKeyConstraint("token", "campaign_id", "mailbox_id"),
    Index("permits_workspace", "workspace_id", "reserve_time"),
    Index("permits_time", "reserve_time", postgresql_using="brin"),
)

# Sender processes that have been seen. The one of a name that is not replaced is the living one.
senders = Table(
    "senders",
    metadata,
    Column("sender_id", Text, nullable=False),
    Column("incarnation", Text, nullable=False),
    _made(),
    _instant("replace_time"),
    PrimaryKeyConstraint("sender_id", "incarnation"),
)

# What holds a gate (campaign_id 0) or a lane now, kept so that a rebuild knows it and people are told.
parks = Table(
    "parks",
    metadata,
    Column("mailbox_id", Integer, ForeignKey("mailboxes.id", ondelete="CASCADE"), nullable=False),
    Column("campaign_id", BigInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    _instant("until_time", nullable=False),
    Column("detail", Text, nullable=False),
    # By the deployment's cap, which holds over all workspaces.
    Column("of_deployment", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("mailbox_id", "campaign_id", "reason"),
    Index("parks_deployment", "mailbox_id", postgresql_where=text("of_deployment")),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("workspace_id", Integer, ForeignKey("workspaces.id"), nullable=False),
    Column("email", Text, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    _made(),
    # The campaign whose message it was about.
    Column("campaign_id", BigInteger),
    # The name of who added it; empty where no person did.
    Column("added_by", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("workspace_id", "email"),
)

# The epoch of each workspace's counters; workspace 0 stands for the deployment's own.
counters = Table(
    "counters",
    metadata,
    Column("workspace_id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
)

# The generation of each shard of the delay queue.
queue_shards = Table(
    "queue_shards",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
)

# Chunks take blocks of ids: id order is import order, and a block takes one call.
MESSAGE_BLOCK = 10_000
MESSAGE_BLOCKS = "message_blocks"
