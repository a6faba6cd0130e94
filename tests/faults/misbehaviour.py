"""What a sink does other than a good server would: by rules, whose chances follow from a seed and not from timing."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where a conversation stands when a rule is asked."""

    CONNECT = "connect"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "mid-content"
    """Some of the content was read, not all of it."""
    DOT = "final dot"
    """All of the content was read."""


class Then(StrEnum):
    """What follows an answer, or comes instead of one."""

    GO_ON = "go on"
    DROP = "drop"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class Act:
    """What the sink does: waits, answers with `reply` (None: as a good server; nothing where it drops or hangs)."""

    reply: str | None = None
    then: Then = Then.GO_ON
    after_s: float = 0.0


GOOD = Act()
DROP = Act(then=Then.DROP)
HANG = Act(then=Then.HANG)


@dataclass(frozen=True, slots=True)
class Talk:
    """What is known of a conversation: sender and recipient are empty until they were named."""

    connection: int
    sender: str = ""
    recipient: str = ""

    @property
    def key(self) -> str:
        """What a chance is about: the recipient once there is one, else the connection."""
        return self.recipient or f"connection {self.connection}"


@dataclass(frozen=True, slots=True)
class Rule:
    """At a stage, a share of what comes by meets with an act.

    Attributes:
        share: of recipients (or of connections, before there is one). The same recipient has the same luck each time.
        sender: only for mail from this address; empty: from any.
        most_s: the act waits for up to so long, each recipient for its own time.
        times: how often one recipient (or connection) meets with it; 0: always.
    """

    stage: Stage
    act: Act
    share: float = 1.0
    sender: str = ""
    most_s: float = 0.0
    times: int = 0


class Misbehaviour:
    """The rules that hold now. They may be changed while the sink works, from another thread."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rules: tuple[Rule, ...] = ()
        self._met: Counter[tuple[Rule, str]] = Counter()

    def add(self, *rules: Rule) -> None:
        """Adds rules; of several that fit, the first that was added decides."""
        self._rules = (*self._rules, *rules)

    def clear(self) -> None:
        """From now on the server is good."""
        self._rules = ()

    def act(self, stage: Stage, talk: Talk) -> Act:
        """What to do."""
        for rule in self._rules:
            if rule.stage is not stage or rule.sender not in ("", talk.sender):
                continue
            if rule.times and self._met[rule, talk.key] >= rule.times:
                continue
            chance = self._chance(rule, talk)
            if chance() < rule.share:
                self._met[rule, talk.key] += 1
                return Act(rule.act.reply, rule.act.then, rule.act.after_s + rule.most_s * chance())
        return GOOD

    def _chance(self, rule: Rule, talk: Talk) -> Callable[[], float]:
        # By name, so that it does not matter what else was decided before.
        return random.Random(f"{self._seed}/{rule.stage}/{rule.act}/{talk.key}").random
