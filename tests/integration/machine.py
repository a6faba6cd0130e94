"""Random histories of a whole tenant: senders, verbs, crashes, lost answers, wipes and old snapshots.

What mail servers saw is the truth that everything is held to. Nothing is begun twice; no limit is passed; and when all
of it has ended, nothing is lost and nothing is unconfirmed that somebody knows better.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane_scheduler.states import CampaignState, MailboxState, MessageState

from .hazards import Hazard
from .played_sender import FAILED, RETRY, RETURNED, SENT, UNCONFIRMED, Hold, Mail, PlayedSender
from .rig import (
    HOUR_S,
    Call,
    Rig,
    campaign_verb,
    claiming,
    mailbox_verb,
    raise_campaign_limit,
    raise_limit,
    renewing,
    settling,
    sweep,
)

LIMIT, CAMPAIGN_LIMIT, CAP = 9, 12, 4
ROUNDS = 60
"""Of sweeping, claiming and sending until nothing is left: each settles what can be settled, so that few are needed."""

copies = st.integers(0, 1)
senders = st.integers(0, 1)
slots = st.sampled_from([6, 5, 4, 3, 2, 1])
# Of what a sender holds: all of it more often than not.
some = st.sampled_from([6, 6, 6, 2, 1, 0])
lost = st.sampled_from([False, False, False, True])
outcomes = st.sampled_from([SENT, SENT, SENT, SENT, RETRY, FAILED, UNCONFIRMED])
envelope_outcomes = st.sampled_from([RETURNED, RETURNED, RETURNED, RETRY, FAILED])
# A hazard and its step. Often without one, or little would ever get far.
Risk = tuple[Hazard | None, int]
SAFE: Risk = (None, 0)
hazards = st.one_of(st.just(SAFE), st.just(SAFE), st.tuples(st.sampled_from(Hazard), st.integers(1, 10)))

turns = st.lists(st.tuples(senders, copies, slots, hazards, lost, some, some, outcomes), max_size=3)

_COUNTED = """
SELECT campaign_id, state, sum(n) FROM (
  SELECT campaign_id, state, 1 AS n FROM messages
  UNION ALL
  SELECT campaign_id, s.state, -s.n FROM campaign_counts,
    LATERAL (VALUES (1, pending), (2, sending), (3, sent), (4, failed), (5, unconfirmed), (6, suppressed),
             (7, cancelled)) AS s(state, n)
) AS both_ways GROUP BY 1, 2 HAVING sum(n) <> 0
"""
_HANDED_OUT = f"""
SELECT whose, floor(extract(epoch FROM reserve_time) / {HOUR_S}), sum(permits - refunded)
FROM permits, LATERAL (VALUES (mailbox_id), (-campaign_id)) AS w(whose) GROUP BY 1, 2
"""


def amid_turns(**drawn: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule that comes after some turns of the senders.

    As rules of their own, turns would be one in twenty, and most of what happens would happen to an idle system.
    """

    def decorate(act: Callable[..., None]) -> Any:
        @wraps(act)
        def after(
            self: SystemMachine, turns: list[tuple[int, int, int, Risk, bool, int, int, Any]], **chosen: Any
        ) -> None:
            for turn in turns:
                self.take_a_turn(*turn)
            act(self, **chosen)

        # What wraps tells of its act's arguments is not what it takes.
        del after.__wrapped__
        return rule(turns=turns, **drawn)(after)

    return decorate


class SystemMachine(RuleBasedStateMachine):
    rig: ClassVar[Rig]

    @initialize()
    def begin(self) -> None:
        self.rig.begin()
        self.mail = Mail()
        self.senders = [PlayedSender(self.mail), PlayedSender(self.mail)]
        self.saved = False
        self.limited = self.rig.mailbox(hourly=LIMIT)
        self.capped = self.rig.mailbox(cap=CAP)
        self.limits = {self.limited: LIMIT}
        self.campaigns = [self.rig.campaign([self.limited, self.capped], 8)]
        self.campaigns.append(self.rig.campaign([self.limited], 6, delay_us=1_000, start="-1 min"))
        self.limits[-self.campaigns[0]] = CAMPAIGN_LIMIT
        self.rig.sql("UPDATE campaigns SET hourly_limit = %s WHERE id = %s", CAMPAIGN_LIMIT, self.campaigns[0])
        self.sweep(0, SAFE)

    # --- senders ------------------------------------------------------------------------------------------------------

    def take_a_turn(
        self, who: int, which: int, count: int, risk: Risk, deaf: bool, begun: int, ended: int, outcome: Any
    ) -> None:
        """Claims, begins some of what it holds, ends some of what it has begun: its next claim tells of it."""
        self.claim(who, which, count, risk, deaf)
        self.begin_content(who, begun)
        self.end_content(who, ended, outcome)

    def claim(self, who: int, which: int, count: int, risk: Risk, deaf: bool) -> None:
        """A claim, new or repeated; the answer may be lost on its way."""
        sender = self.senders[who]
        is_new = sender.open_claim is None
        request = sender.claim(count)
        answer = self.rig.call(which, claiming(request), *risk)
        if answer is not None and not deaf:
            if is_new:
                self._is_open(answer)
            self._take(sender, request, answer)

    @amid_turns(count=slots, risk=hazards, deaf=lost)
    def claim_at_once(self, count: int, risk: Risk, deaf: bool) -> None:
        """Both senders claim, each at another scheduler, while the first one sweeps."""
        requests = [sender.claim(count) for sender in self.senders]
        calls: list[tuple[int, Call[Any]]] = [(place, claiming(request)) for place, request in enumerate(requests)]
        answers = self.rig.call_at_once([*calls, (1, sweep)], *risk)
        for sender, request, answer in zip(self.senders, requests, answers[:2], strict=True):
            if answer is not None and not deaf:
                self._take(sender, request, answer)

    @amid_turns(who=senders, count=slots, risk=hazards, first=st.booleans())
    def claim_twice(self, who: int, count: int, risk: Risk, first: bool) -> None:
        """One claim reaches two schedulers at once; the sender hears one of them."""
        sender = self.senders[who]
        request = sender.claim(count)
        calls: list[tuple[int, Call[Any]]] = [(place, claiming(request)) for place in (0, 1)]
        one, two = self.rig.call_at_once(calls, *risk)
        if one is not None and two is not None:
            assert one.token == two.token or not (one.messages or two.messages)
            assert {m.message_id for m in one.messages} == {m.message_id for m in two.messages}
        answer = one if first else two
        if answer is not None:
            self._take(sender, request, answer)

    @amid_turns(which=copies, risk=hazards)
    def recall(self, which: int, risk: Risk) -> None:
        """A sender that drains asks what its open claim brought, or that it never brings anything."""
        for sender in self.senders:
            if sender.open_claim:
                request = sender.recall()
                answer = self.rig.call(which, claiming(request), *risk)
                if answer is not None:
                    self._take(sender, request, answer)

    def begin_content(self, who: int, count: int) -> None:
        for hold in self._ready(who)[:count]:
            self.senders[who].begin(hold)

    def end_content(self, who: int, count: int, outcome: Any) -> None:
        for hold in [hold for hold in self.senders[who].holds if hold.begun][:count]:
            self.senders[who].end(hold, outcome)

    @amid_turns(who=senders, count=slots, outcome=envelope_outcomes, strained=st.booleans())
    def end_before_content(self, who: int, count: int, outcome: Any, strained: bool) -> None:
        """Handed back, or refused with its envelope; the whole mailbox may be what was refused."""
        scope = pb.OUTCOME_SCOPE_MAILBOX if strained and outcome == RETURNED else pb.OUTCOME_SCOPE_RECIPIENT
        for hold in [hold for hold in self.senders[who].holds if not hold.begun][:count]:
            self.senders[who].end(hold, outcome, scope)

    @amid_turns(who=senders, which=copies, risk=hazards, deaf=lost)
    def tell(self, who: int, which: int, risk: Risk, deaf: bool) -> None:
        sender = self.senders[who]
        request = sender.settle()
        answer = self.rig.call(which, settling(request), *risk)
        if answer is not None and not deaf:
            sender.told(request.settles)

    @amid_turns(who=senders, which=copies, risk=hazards)
    def renew(self, who: int, which: int, risk: Risk) -> None:
        sender = self.senders[who]
        request = sender.renew()
        answer = self.rig.call(which, renewing(request), *risk)
        if answer is not None:
            sender.renewed(request, answer)

    def work(self, who: int) -> None:
        """Turns as they should be: claim, send, claim more with the outcomes of the first."""
        for _ in range(2):
            self.take_a_turn(who, who, 6, SAFE, deaf=False, begun=6, ended=6, outcome=SENT)

    # Places among what there is, whatever that is: what is drawn must not hang on how fast the stores were.
    @amid_turns(who=senders, which=copies, places=st.lists(st.integers(0, 99), min_size=1, max_size=4))
    def the_network_repeats(self, who: int, which: int, places: list[int]) -> None:
        """An old request arrives again, and nobody hears its answer."""
        sender = self.senders[who]
        if told := sender.old_settles:
            settles = [told[place % len(told)] for place in places]
            request = pb.SettleMessagesRequest(sender_id=sender.name, incarnation=sender.incarnation, settles=settles)
            answer = self.rig.call(which, settling(request))
            # That nobody knows may be said again: an old claim that arrived again had made it SENDING.
            assert answer is None or answer.settled <= sum(one.outcome == UNCONFIRMED for one in settles)
        if claims := sender.old_claims:
            self.rig.call(which, claiming(claims[places[0] % len(claims)]))

    @amid_turns(who=senders, which=copies, count=slots)
    def a_sender_crashes(self, who: int, which: int, count: int) -> None:
        """It comes back at once as another incarnation."""
        self.senders[who].crash(self._claimed(self.senders[who]))
        self.claim(who, which, count, SAFE, deaf=False)

    # --- schedulers ---------------------------------------------------------------------------------------------------

    @amid_turns(which=copies, risk=hazards, aged=st.booleans())
    def a_sweep(self, which: int, risk: Risk, aged: bool) -> None:
        """Aged: what was left behind has lain there for long enough."""
        if aged:
            self.rig.age()
        self.sweep(which, risk)

    def sweep(self, which: int, risk: Risk) -> None:
        self.rig.call(which, sweep, *risk)

    @amid_turns(which=copies)
    def a_scheduler_crashes(self, which: int) -> None:
        self.rig.crash(which)

    @amid_turns(who=senders, swept=st.booleans())
    def leases_run_out(self, who: int, swept: bool) -> None:
        """A sender was cut off for long: it knows by its own clock."""
        tokens = sorted({hold.token for hold in self.senders[who].holds})
        self.rig.sql("UPDATE claims SET lease_until = now() - interval '1 s' WHERE token = ANY(%s)", tokens)
        for hold in self.senders[who].holds:
            hold.leased = False
        if swept:
            self.sweep(who, SAFE)

    # --- people -------------------------------------------------------------------------------------------------------

    @amid_turns(
        verb=st.sampled_from(["Pause", "Resume", "Pause", "Resume", "Resume", "Cancel"]),
        place=st.integers(0, 9),
        which=copies,
        risk=hazards,
    )
    def decide_on_a_campaign(self, verb: str, place: int, which: int, risk: Risk) -> None:
        campaign = self.campaigns[place % len(self.campaigns)]
        # A cancelled campaign ends much of the history: one is enough.
        if verb != "Cancel" or campaign == self.campaigns[-1] != self.campaigns[1]:
            self.rig.call(which, campaign_verb(verb, campaign), *risk)

    @amid_turns(verb=st.sampled_from(["Pause", "Resume", "Resume"]), limited=st.booleans(), which=copies, risk=hazards)
    def decide_on_a_mailbox(self, verb: str, limited: bool, which: int, risk: Risk) -> None:
        self.rig.call(which, mailbox_verb(verb, self.limited if limited else self.capped), *risk)

    @precondition(lambda self: len(self.campaigns) < 4)
    @amid_turns(each=st.integers(1, 5), which=copies, risk=hazards)
    def one_more_campaign(self, each: int, which: int, risk: Risk) -> None:
        self.campaigns.append(self.rig.campaign([self.capped, self.limited], each))
        self.sweep(which, risk)

    # --- Redis --------------------------------------------------------------------------------------------------------

    @amid_turns(who=senders, which=copies, count=slots)
    def redis_is_wiped(self, who: int, which: int, count: int) -> None:
        self.rig.wipe()
        self.claim(who, which, count, SAFE, deaf=False)

    @amid_turns()
    def redis_is_saved(self) -> None:
        self.rig.save()
        self.saved = True

    @precondition(lambda self: self.saved)
    @amid_turns(who=senders, which=copies, count=slots)
    def redis_starts_from_what_was_saved(self, who: int, which: int, count: int) -> None:
        self.start_from_what_was_saved(who, which, count)

    def start_from_what_was_saved(self, who: int, which: int, count: int) -> None:
        self.rig.load()
        self.claim(who, which, count, SAFE, deaf=False)

    @amid_turns(who=senders, count=slots, outcome=outcomes)
    def redis_goes_back_behind_a_claim(self, who: int, count: int, outcome: Any) -> None:
        """A replica that lags is promoted: the queue has what was claimed as waiting, the counters as not counted."""
        self.rig.save()
        self.saved = True
        self.take_a_turn(who, 0, count, SAFE, deaf=False, begun=count, ended=count, outcome=outcome)
        self.start_from_what_was_saved(1 - who, 1, count)

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def counts_are_what_states_are(self) -> None:
        assert self.rig.sql(_COUNTED) == []

    @invariant()
    def no_limit_is_passed(self) -> None:
        """By what Postgres has as handed out, and by what mail servers saw."""
        for whose, _, permits in self.rig.sql(_HANDED_OUT):
            assert permits <= self.limits.get(whose, permits)
        messages, tokens = [list(column) for column in zip(*self.mail.spent, strict=True)] or [[], []]
        seen = self.rig.sql(
            f"""SELECT m.mailbox_id, floor(extract(epoch FROM p.reserve_time) / {HOUR_S}), count(*)
            FROM unnest(%s::bigint[], %s::bigint[]) AS u(id, token) JOIN messages m ON m.id = u.id
            JOIN permits p ON p.token = u.token AND p.campaign_id = m.campaign_id AND p.mailbox_id = m.mailbox_id
            GROUP BY 1, 2""",
            messages,
            tokens,
        )
        assert sum(count for *_, count in seen) == len(messages)
        for mailbox, _, count in seen:
            assert count <= self.limits.get(mailbox, count)

    # --- the end ------------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Everybody lives, nobody holds anything up: all that can be sent is sent."""
        if not hasattr(self, "senders"):
            return
        self._open_everything()
        for _ in range(ROUNDS):
            self.rig.age()
            self.sweep(0, SAFE)
            self.sweep(1, SAFE)
            self.work(0)
            self.work(1)
            if not self._unfinished():
                break
        self.sweep(0, SAFE)
        self.counts_are_what_states_are()
        self._nothing_is_lost()

    def _open_everything(self) -> None:
        del self.limits[self.limited], self.limits[-self.campaigns[0]]
        self.rig.call(0, raise_limit(self.limited, 100_000))
        self.rig.call(0, raise_campaign_limit(self.campaigns[0], 100_000))
        for campaign in self.campaigns:
            self.rig.call(0, campaign_verb("Resume", campaign))
        for mailbox in (self.limited, self.capped):
            self.rig.call(1, mailbox_verb("Resume", mailbox))
        for who, sender in enumerate(self.senders):
            self.claim(who, 0, 1, SAFE, deaf=False)
            for hold in list(sender.holds):
                sender.end(hold, SENT if hold.begun else RETURNED)
        # What dead processes held, or an old claim that arrived again leased: their leases would have run out by now.
        self.rig.sql("UPDATE claims SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL")

    def _unfinished(self) -> list[tuple[Any, ...]]:
        open_states = [int(MessageState.PENDING), int(MessageState.SENDING)]
        return self.rig.sql("SELECT id, state FROM messages WHERE state = ANY(%s) LIMIT 5", open_states)

    def _nothing_is_lost(self) -> None:
        assert self._unfinished() == [], "never sent"
        for sender in self.senders:
            assert not sender.holds
            assert not sender.outbox
            assert sender.open_claim is None
        by_state: dict[MessageState, set[int]] = {state: set() for state in MessageState}
        for message, state in self.rig.sql("SELECT id, state FROM messages"):
            by_state[MessageState(state)].add(message)
        assert by_state[MessageState.SENT] <= self.mail.sent, "SENT, and no server took it"
        assert by_state[MessageState.FAILED] <= self.mail.refused, "FAILED, and no server refused it"
        assert by_state[MessageState.UNCONFIRMED] <= self.mail.excused, "UNCONFIRMED, though somebody knew"
        assert self.mail.sent <= by_state[MessageState.SENT] | by_state[MessageState.UNCONFIRMED]
        assert self.rig.call(0, lambda copy: copy.scheduler.queue.flight(self.limited)) == [], "in flight for ever"
        assert self.rig.call(0, lambda copy: copy.scheduler.queue.flight(self.capped)) == [], "in flight for ever"
        open_campaigns = [int(CampaignState.ACTIVE), int(CampaignState.PAUSED)]
        assert self.rig.sql("SELECT id FROM campaigns WHERE state = ANY(%s)", open_campaigns) == [], "never completed"

    # ------------------------------------------------------------------------------------------------------------------

    def _take(self, sender: PlayedSender, request: pb.ClaimMessagesRequest, answer: pb.ClaimMessagesResponse) -> None:
        held = {hold.message for other in self.senders for hold in other.holds}
        handed = {message.message_id for message in answer.messages}
        assert len(handed) == len(answer.messages)
        assert not handed & held, "handed out while somebody holds it"
        assert not handed & self.mail.taken, "handed out after it was sent"
        sender.answered(request, answer)

    def _is_open(self, answer: pb.ClaimMessagesResponse) -> None:
        """No claim that began after Pause or Cancel returned brings anything of it (I9)."""
        states = self.rig.sql(
            """SELECT DISTINCT c.state, b.state FROM messages m JOIN campaigns c ON c.id = m.campaign_id
            JOIN mailboxes b ON b.id = m.mailbox_id WHERE m.id = ANY(%s)""",
            [message.message_id for message in answer.messages],
        )
        assert set(states) <= {(int(CampaignState.ACTIVE), int(MailboxState.ACTIVE))}

    def _ready(self, who: int) -> list[Hold]:
        return [hold for hold in self.senders[who].holds if hold.leased and not hold.begun]

    def _claimed(self, sender: PlayedSender) -> list[int]:
        if sender.open_claim is None:
            return []
        found = self.rig.sql("SELECT ids FROM claims WHERE claim_id = %s", sender.open_claim.claim_id)
        return [message for (ids,) in found for message in ids]
