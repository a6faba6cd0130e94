"""The model test can fail: each planted fault in the Lua sources is found by it."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from maillane_scheduler.queue.scripts import sources

from .machine import QueueMachine

# No shrinking: that the fault is found is the claim, not how briefly it can be shown.
BUDGET = settings(
    max_examples=400,
    stateful_step_count=20,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

FAULTS = {
    "a lane's gap is ignored": ("service + number(h[2]),\n    number(h[4])", "service,\n    number(h[4])"),
    "a lane's window park is ignored": (", number(h[5]), number(h[6]))), c)", ", number(h[5]))), c)"),
    "a paused lane stays in the index": ("(h[1] or join(m, c)) == '1'", "(h[1] or join(m, c)) == 'never'"),
    "a gate's backoff park is ignored": (
        "number(h[5]), number(h[6]), number(h[7]))\n",
        "number(h[5]), number(h[7]))\n",
    ),
    "last service does not rank gates": (
        "math.max(number(first[2]), service + number(h[2])",
        "math.max(number(first[2]), number(h[2]) > 0 and service + number(h[2]) or 0",
    ),
    "last service does not rank lanes": (
        "number(head[2]), service + number(h[2])",
        "number(head[2]), number(h[2]) > 0 and service + number(h[2]) or 0",
    ),
    "one message beyond the cap": (">= (tonumber(h[4]) or DEFAULT_CAP)", "> (tonumber(h[4]) or DEFAULT_CAP)"),
    "a clock that jumped back is believed": ("if last > 0 and last > now() then", "if false then"),
    "a new lane forgets that its campaign is paused": ("local paused = state[2] or '0'", "local paused = '0'"),
    "nobody is woken": ("if score < earliest and not woken then", "if false then"),
    "a settle leaves its gate as it was": (
        "      touch_gate(m)\n      done = done + #gone",
        "      done = done + #gone",
    ),
    "a returned message does not move its lane": ("      for c in pairs(back) do touch_lane(m, c) end\n", ""),
    "any token settles": ("if flying == token and not seen[message]", "if flying and not seen[message]"),
    "a message named twice settles twice": ("if flying == token and not seen[message]", "if flying == token"),
    "a settle leaves the lease": ("      variadic('ZREM', P .. 'leases', leases)\n      for c", "      for c"),
    "a lane with a gap gives several": ("has_gap = number(h[2]) > 0 or number(h[3]) > 0", "has_gap = number(h[2]) > 0"),
    "a claim does not look at the gate": ("eligible(P .. 'gates', m) and ", ""),
    "a lane counts its gap from its pick-up": ("return math.max(score, ", "return math.max(now(), "),
    "a lane that fell behind bursts": ("return math.max(score, ", "return math.min(score, "),
    "a claim does not look at the cap": (
        "(tonumber(h[1]) or DEFAULT_CAP) - R('HLEN', flight_key(m))\n  local has",
        "1000\n  local has",
    ),
    "a claim keeps what it takes": ("  R('ZREMRANGEBYRANK', lane_key(m, c), 0, #entries / 2 - 1)\n", ""),
    "what flies is enqueued again": ("if value then flying[messages[i]] = true end", ""),
    "a campaign that was opened again is forgotten": (
        "if number(R('HGET', state_key(c), 'revision')) > revision then return 0 end\n\nlocal function in_use",
        "local function in_use",
    ),
    "a lane is forgotten under what is in flight": ("if string.match(flying, '^%d+') == c then return true end", ""),
    "a lane is forgotten under what it holds": ("  if R('EXISTS', lane_key(m, c)) == 1 then return true end\n", ""),
    "an ended campaign keeps its pause": (
        "R('HDEL', gate_key(m), 'paused:' .. c, 'paused_rev",
        "R('HDEL', gate_key(m), 'paused_rev",
    ),
    "an older pause wins over a newer resume": (
        "if number(R('HGET', state_key(c), 'revision')) > revision then return 0 end\n",
        "",
    ),
    "a campaign overrides what a lane knows better": (
        "if number(R('HGET', gate_key(m), 'paused_revision:' .. c)) <= revision then\n    R('HSET'",
        "if true then\n    R('HSET'",
    ),
    "a turn takes more than there are permits for": ("permits >= count and take", "permits > 0 and take"),
    "a turn takes without a permit": ("permits >= count and take", "take"),
    "a turn leaves what permits just suffice for": ("permits >= count and take", "permits > count and take"),
    "a turn leaves the last permits": ("if at and ARGV[at + 1] == '1' then", "if false then"),
    "a turn takes a part though more can be reserved": ("if at and ARGV[at + 1] == '1' then", "if at then"),
    "a turn ends no flights": ("leave(4 * lanes + 6)", ""),
    "a turn looks before flights have ended": (
        "leave(4 * lanes + 6)\n",
        "local found, at = look(tonumber(ARGV[4]))\nleave(4 * lanes + 6)\nlook = function() return found, at end\n",
    ),
    "a turn leaves out the last lane": ("for i = 6, 4 * lanes + 5, 4 do", "for i = 6, 4 * lanes + 1, 4 do"),
    "the first gates take all slots": ("math.ceil(left / (#gates - i + 1))", "left"),
    "what some gates do not use is lost": ("if found[i].total == found[i].share then", "if false then"),
    "what some gates do not use is offered twice": ("      left = left + found[i].total\n", ""),
    "a gate with a gap is offered several times": ("gap > 0 and 1 or room", "room"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_model_test_finds(fault: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue with this fault differs from the model somewhere."""
    right, wrong = FAULTS[fault]
    mutated = {name: source.replace(right, wrong) for name, source in sources().items()}
    assert mutated != sources(), "the fault does not apply to the sources any more"
    monkeypatch.setattr("maillane_scheduler.queue.queue.sources", lambda: mutated)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(QueueMachine.on(redis_url), settings=BUDGET)
