from pathlib import Path

ROOT = Path(__file__).parents[2]
CLUSTER = "services/scheduler/maillane_scheduler/queue/cluster.py"


def test_the_limiter_reaches_a_cluster_as_the_queue_does() -> None:
    """Both have the same file: services share nothing that touches a store."""
    copy = "services/ratelimit/maillane_ratelimit/counters/cluster.py"

    assert (ROOT / copy).read_text() == (ROOT / CLUSTER).read_text()
