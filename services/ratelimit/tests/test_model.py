from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from maillane_local.valkey import Valkey

from .machine import LimiterMachine, Rig


def test_the_limiter_says_what_the_model_says(volatile_valkey: Valkey) -> None:
    """Whatever is asked, given back, lost and restored, in whatever order, no limit is ever passed (I8)."""
    rig = Rig(volatile_valkey.unix_url)
    machine = type("Machine", (LimiterMachine,), {"rig": rig})
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=40,
                stateful_step_count=50,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        rig.close()
