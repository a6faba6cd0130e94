"""What operators watch: how late hand-outs are, what becomes of messages, and what is held up."""

from prometheus_client import Counter, Gauge, Histogram

HAND_OUT_LAG = Histogram(
    "maillane_hand_out_lag_seconds",
    "From a message's due time to its hand-out; what waits for a turn, a gap or a limit is late on purpose.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 60, 3600),
)
OUTCOMES = Counter("maillane_outcomes", "Settled messages, by what became of them.", ["outcome"])
REFUSALS = Counter("maillane_claim_refusals", "Messages that Postgres refused to claim, by reason.", ["reason"])
BACKOFFS = Counter("maillane_mailbox_backoffs", "Times that a mailbox was parked because of its server.")
CAPS_LOWERED = Counter("maillane_mailbox_caps_lowered", "Times that a server had too many connections of a mailbox.")
REBUILDS = Counter("maillane_queue_rebuilds", "New generations of the delay queue.")
LANES_MENDED = Counter("maillane_queue_lanes_mended", "Lanes of which the queue had less than waits in them.")
CLOCK_JUMPS = Counter("maillane_clock_jumps", "Jumps of a store's clock, as each scheduler saw them.", ["store"])
UNCONFIRMED = Counter("maillane_unconfirmed", "Messages that became unconfirmed by a lease that ran out.")
REJECTED_CAMPAIGNS = Counter(
    "maillane_rejected_campaigns", "Times that a campaign was paused because servers refused what it sends."
)
# Over the whole deployment, as each scheduler last saw it: take the maximum, not the sum.
UNCONFIRMED_NOW = Gauge("maillane_unconfirmed_messages", "Messages of which nobody knows whether they arrived.")
PARKED_MAILBOXES = Gauge("maillane_parked_mailboxes", "Mailboxes that are set aside, by reason.", ["reason"])
OVERDUE = Gauge(
    "maillane_overdue_seconds", "For how long something could have been handed out and was not; 0: nothing could."
)
OPEN_CAMPAIGNS = Gauge("maillane_open_campaigns", "Campaigns that are active or paused.")
STOPPED_WORKSPACES = Gauge("maillane_stopped_workspaces", "Workspaces that are stopped.")
MARKS_LEFT_BEHIND = Gauge("maillane_marks_left_behind", "Changes that the queue should have been told of by now.")
