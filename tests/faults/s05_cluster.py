"""Row 5: a Valkey Cluster whose primaries are killed."""

from .scenario import CannotRun, Scenario, Trial


async def fail_over(trial: Trial) -> None:
    """Not yet: both who own keys speak to one server.

    What is missing: clients of a cluster in the scheduler's queue and in the limiter (both open a pool to one server
    and look at its run id when they connect); the generation and the counters' sentinel by the primary that holds their
    slot; and a cluster in deploy/local. The keys are ready: those of a shard, and of a workspace, lie in one slot each.

    Raises:
        CannotRun: always.
    """
    raise CannotRun("the queue and the limiter speak to a single server, not to a cluster yet")


SCENARIOS = [
    Scenario(5, "3 + 3 Valkey Cluster, 10 primaries killed", "0 lost, 0 doubled, pause ≤ 10 s each", 1, 60, fail_over),
]
