import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from maillane_local.valkey import Valkey
from maillane_ratelimit.counters.scripts import read_sources

from .machine import LimiterMachine, Rig

MUTANTS = {
    "a rolling window of n buckets": (
        "window",
        "for part = number - allowance.parts, number",
        "for part = number - math.max(allowance.parts - 1, 0), number",
    ),
    "buckets that begin 1 µs early": ("window", "math.ceil(part", "math.floor(part"),
    "another run of the server is trusted": ("epoch", "mark[2] == run_id and ", ""),
    "another primary is trusted": ("epoch", " and mark[3] == replication_id", ""),
    "counters outlive their epoch": ("epoch", ".. 'e' .. epoch ..", ".. 'e' .."),
    "a repeat reserves again": ("reserve", "if known then return", "if false then return"),
    "what was wanted is counted": ("reserve", "INCRBY', key, granted", "INCRBY', key, 7"),
    "the last of equals is named": ("reserve", "allowance.place < place", "allowance.place > place"),
    "retry one permit early": ("reserve", "left < allowance.limit", "left <= allowance.limit"),
    "void with the last window": ("reserve", "math.min(expires, ends)", "math.max(expires, ends)"),
    "more ahead than a twentieth": ("reserve", "AHEAD_PART = 20", "AHEAD_PART = 10"),
    "ahead of what is not left": ("reserve", "(least - granted) / AHEAD_PART", "least / AHEAD_PART"),
    "the last allowance decides what is ahead": ("reserve", "math.min(least, free)", "free"),
    "the deployment's cap is ignored": ("reserve", "if ask.cap < granted then", "if false then"),
    "a refund of more than is left": ("refund", "math.min(permits, left)", "permits"),
    "a repeated refund counts": ("refund", "if before[2] then", "if false then"),
    "a refund into lost counters": ("refund", "trusted_epoch(KEYS[1])", "redis.call('HGET', KEYS[1], 'epoch')"),
    "an epoch is restored twice": ("restore", "return one > other", "return one >= other"),
    "a restore that adds nothing": ("restore", "if now < ends then", "if false then"),
}


@pytest.mark.parametrize(("name", "old", "new"), MUTANTS.values(), ids=MUTANTS)
def test_a_planted_fault_is_found(volatile_valkey: Valkey, name: str, old: str, new: str) -> None:
    """The model's test can fail: it finds each of these."""
    sources = read_sources()
    assert sources[name].count(old) == 1
    rig = Rig(volatile_valkey.unix_url, sources | {name: sources[name].replace(old, new)})
    machine = type("Machine", (LimiterMachine,), {"rig": rig})
    try:
        with pytest.raises(AssertionError):
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=200,
                    stateful_step_count=50,
                    deadline=None,
                    derandomize=True,
                    database=None,
                    phases=[Phase.generate],
                    report_multiple_bugs=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )
    finally:
        rig.close()
