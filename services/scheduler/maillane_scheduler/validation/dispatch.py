"""Rules of what senders ask and report."""

import re
from datetime import timedelta

from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler.handover import Ask, Finished, Release, Report
from maillane_scheduler.states import MessageState

MAX_SLOTS = 1_000
MAX_SETTLES = 1_000
MAX_TOKENS = 1_000
MAX_WAIT = timedelta(seconds=60)
# The longest part of a reply that is kept: RFC 5321 §4.5.3.1.5 allows 512 octets a line.
MAX_REPLY = 512

# A message whose connection was lost before its content, as its reply says: soon again, but never in a loop without a
# pause.
LOST_WAIT_S = 2.0

_SENDER = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_INCARNATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FINISHED = {
    pb.OUTCOME_SENT: MessageState.SENT,
    pb.OUTCOME_FAILED: MessageState.FAILED,
    pb.OUTCOME_UNCONFIRMED: MessageState.UNCONFIRMED,
}
_RELEASED = (pb.OUTCOME_RETRY, pb.OUTCOME_RETURNED)
_OUTCOMES: dict[int, str] = {value: name for name, value in pb.Outcome.items() if value}
_STRAINING = (pb.OUTCOME_SCOPE_MAILBOX, pb.OUTCOME_SCOPE_SERVER)


def sender(violations: Violations, sender_id: str, incarnation: str) -> tuple[str, str]:
    """Who asks."""
    violations.form("sender_id", sender_id, _SENDER, "must have 1 to 64 characters of [A-Za-z0-9_.:-]")
    violations.form("incarnation", incarnation, _INCARNATION, "must have 1 to 64 characters of [A-Za-z0-9_-]")
    return sender_id, incarnation


def ask(violations: Violations, request: pb.ClaimMessagesRequest) -> Ask:
    """What a sender asks for."""
    sender_id, incarnation = sender(violations, request.sender_id, request.incarnation)
    if request.claim_id == 0:
        violations.add("claim_id", "must not be 0")
    slots = violations.integer("slots", request.slots, 0, MAX_SLOTS)
    wait_us = violations.duration("wait", request.wait, timedelta(0), MAX_WAIT)
    return Ask(sender_id, incarnation, request.claim_id, slots, wait_us / 1_000_000)


def report(violations: Violations, settles: "list[pb.Settle]") -> Report:
    """What became of messages. Of several outcomes of one message under one token, the first counts."""
    violations.count("settles", settles, 0, MAX_SETTLES, "settle")
    found = Report([], [], {})
    seen: set[tuple[int, int]] = set()
    for place, settle in enumerate(settles[:MAX_SETTLES]):
        key = (settle.message_id, settle.token)
        if settle.outcome not in _OUTCOMES:
            violations.member(f"settles[{place}].outcome", settle.outcome, _OUTCOMES)
        elif settle.code and not 200 <= settle.code <= 599:
            violations.add(f"settles[{place}].code", "must be 0, or from 200 to 599")
        elif key not in seen:
            seen.add(key)
            _sort(found, settle)
    return found


def tokens(violations: Violations, request: pb.RenewClaimsRequest) -> list[int]:
    """The claims that a sender wants to keep."""
    violations.count("tokens", request.tokens, 0, MAX_TOKENS, "token")
    return list(request.tokens)


def _sort(found: Report, settle: pb.Settle) -> None:
    # NUL is the one character that Postgres does not store in text.
    reply = settle.reply[:MAX_REPLY].replace("\0", "\N{REPLACEMENT CHARACTER}")
    if settle.outcome in _RELEASED:
        spent = settle.outcome == pb.OUTCOME_RETRY
        # What a sender hands back of its own accord (it drains, its campaign was paused) says nothing, and keeps its
        # place in its lane: a later time of its own would send it behind everything that is due.
        wait_s = LOST_WAIT_S if settle.scope == pb.OUTCOME_SCOPE_CONNECTION and reply else 0.0
        found.released.append(
            Release(settle.message_id, settle.token, spent, settle.code, reply, wait_s, settle.permit_spent)
        )
        if settle.scope in _STRAINING:
            found.strained[settle.message_id, settle.token] = reply or "no reply"
            if settle.fewer_connections:
                found.crowded.add((settle.message_id, settle.token))
    else:
        state = _FINISHED[settle.outcome]
        of_campaign = state is MessageState.FAILED and settle.scope == pb.OUTCOME_SCOPE_CAMPAIGN
        found.finished.append(
            Finished(settle.message_id, settle.token, state, settle.code, reply, settle.suppress, of_campaign)
        )
