"""The queue does what the model says, in every sequence of commands."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import QueueMachine


def test_the_queue_is_its_model(redis_url: str) -> None:
    """Random commands, time and clock jumps leave queue and model with the same answers, indexes, flight and leases."""
    budget = settings(max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(QueueMachine.on(redis_url), settings=budget)
