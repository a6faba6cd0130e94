"""What operators watch: what becomes of messages, how long servers take, and what the process holds."""

from prometheus_client import Counter, Gauge, Histogram

OUTCOMES = Counter("maillane_sender_outcomes", "What became of claimed messages.", ["outcome", "scope"])
DELIVERY_SECONDS = Histogram(
    "maillane_sender_delivery_seconds",
    "From a message's turn to its outcome: connecting, the transaction, the server's answer.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600),
)
HELD = Gauge("maillane_sender_held", "Messages claimed and not settled.")
SENDING = Gauge(
    "maillane_sender_sending", "Messages at work: in their content, in their envelope, or in line for a connection."
)
UNTOLD = Gauge("maillane_sender_untold_outcomes", "Outcomes that the scheduler has not confirmed yet.")
SCHEDULER_FAILURES = Counter(
    "maillane_sender_scheduler_failures", "Calls to the scheduler that failed, and are repeated.", ["call", "code"]
)
CONNECTIONS = Gauge("maillane_sender_connections", "Open SMTP connections.")
