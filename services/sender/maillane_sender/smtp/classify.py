"""The outcome table: from a server's answer to what happens.

Rows are tried from the top, and the first that fits decides. They go from the particular to the general: words and
codes by which a large provider says something of its own, then RFC 3463's enhanced codes, then RFC 5321's basic ones,
so that every possible answer meets a row. Rate, quota and AUTH answers concern the mailbox whatever command they
follow, and cost the message nothing: it would otherwise fail by waiting for somebody else's limit. Any other refusal
once MAIL was accepted costs an attempt, for it may be about this very message, which else would come back for ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from maillane_sender.smtp.connect import ConnectFailed, ConnectStage
from maillane_sender.smtp.outcome import Kind, Outcome, Reason, Scope
from maillane_sender.smtp.verdict import Command, Stage, Verdict

_SENT = Outcome(Kind.SENT, Scope.RECIPIENT, Reason.ACCEPTED)
_UNCONFIRMED = Outcome(Kind.UNCONFIRMED, Scope.CONNECTION, Reason.LOST)
_LOST = Outcome(Kind.NOT_SENT, Scope.CONNECTION, Reason.LOST, refund=True)

_RATE = Outcome(Kind.NOT_SENT, Scope.MAILBOX, Reason.RATE, park=True)
_QUOTA = Outcome(Kind.NOT_SENT, Scope.MAILBOX, Reason.QUOTA, park=True)
_CONNECTIONS = Outcome(Kind.NOT_SENT, Scope.MAILBOX, Reason.TOO_MANY_CONNECTIONS, park=True, fewer_connections=True)
_AUTH = Outcome(Kind.NOT_SENT, Scope.MAILBOX, Reason.AUTH, park=True)
_SENDER = Outcome(Kind.NOT_SENT, Scope.MAILBOX, Reason.SENDER_REFUSED, park=True)
_BUSY = Outcome(Kind.NOT_SENT, Scope.SERVER, Reason.SERVER_BUSY, park=True)
_BUSY_NOW = replace(_BUSY, kind=Kind.RETRY)
_RECONNECT = Outcome(Kind.NOT_SENT, Scope.CONNECTION, Reason.PROTOCOL)
_PROTOCOL = Outcome(Kind.RETRY, Scope.CONNECTION, Reason.PROTOCOL)

_DEAD = Outcome(Kind.FAILED, Scope.RECIPIENT, Reason.DEAD_ADDRESS, suppress=True)
_BAD_ADDRESS = Outcome(Kind.FAILED, Scope.RECIPIENT, Reason.BAD_ADDRESS)
_FULL = Outcome(Kind.FAILED, Scope.RECIPIENT, Reason.MAILBOX_FULL)
_REFUSED = Outcome(Kind.FAILED, Scope.RECIPIENT, Reason.REFUSED)
_FULL_NOW = Outcome(Kind.RETRY, Scope.RECIPIENT, Reason.MAILBOX_FULL)
_GREYLISTED = Outcome(Kind.RETRY, Scope.RECIPIENT, Reason.GREYLISTED)
_RECIPIENT_RATE = Outcome(Kind.RETRY, Scope.RECIPIENT, Reason.RECIPIENT_RATE)
_NOT_NOW = Outcome(Kind.RETRY, Scope.RECIPIENT, Reason.NOT_NOW)

_POLICY = Outcome(Kind.FAILED, Scope.CAMPAIGN, Reason.POLICY)
_TOO_BIG = Outcome(Kind.FAILED, Scope.CAMPAIGN, Reason.TOO_BIG)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: it fits an answer that meets every condition it has.

    `codes`, `enhanced` and `words` are regular expressions: the first two match the whole code, the third is searched
    for in the text, whatever its case. `commands` empty means any.
    """

    name: str
    outcome: Outcome
    codes: re.Pattern[str] | None = None
    enhanced: re.Pattern[str] | None = None
    words: re.Pattern[str] | None = None
    commands: frozenset[Command] = frozenset()

    def fits(self, verdict: Verdict) -> bool:
        """Whether this row is about such an answer."""
        return (
            (not self.commands or verdict.command in self.commands)
            and (self.codes is None or self.codes.fullmatch(str(verdict.code)) is not None)
            and (self.enhanced is None or self.enhanced.fullmatch(verdict.enhanced) is not None)
            and (self.words is None or self.words.search(verdict.text) is not None)
        )


def _row(name: str, outcome: Outcome, *commands: Command, codes: str = "", enhanced: str = "", words: str = "") -> Row:
    return Row(
        name,
        outcome,
        re.compile(codes) if codes else None,
        re.compile(enhanced) if enhanced else None,
        re.compile(words, re.IGNORECASE) if words else None,
        frozenset(commands),
    )


_CROWD = r"too many (concurrent |simultaneous )?(smtp )?(connections|sessions)"
_EXCHANGE_CROWD = r"thread limit exceeded|concurrent connections? (limit|has exceeded)"
_DAILY = (
    r"\b(daily|hourly|sending|sender)\b.{0,30}\b(limit|quota)\b.{0,40}(exceed|reach)|"
    r"exceeded.{0,30}\b(daily|hourly|sending) (limit|quota)"
)
_TOO_FAST = r"throttl|rate.?limit|unusual rate of|too much mail from|too many messages|sending too (fast|quickly)"
_TOO_LONG_A_SESSION = r"too many messages (on|per|in)( the| this)? (connection|session)"
_NO_RELAY = r"relay(ing)? (access )?(denied|not permitted|not allowed)|unable to relay"
_NO_ROOM = r"(mailbox|inbox).{0,20}(full|out of)|over ?quota|quota exceeded"
_NOBODY = (
    r"user unknown|unknown user|no such (user|recipient|mailbox|address)|(does ?n[o']t|not) exist|"
    r"(user|recipient|mailbox|address|account) (was )?not found|invalid (recipient|mailbox|user)|no mailbox here"
)
_LATER = (Command.RCPT, Command.DATA, Command.CONTENT)

# fmt: off - one row a line, as a table is read
ROWS: tuple[Row, ...] = (
    # What providers say in words and codes of their own.
    _row("too big, in words", _TOO_BIG, codes="5..", words=r"message.{0,40}(size|too (big|large))"),
    _row("too many connections", _CONNECTIONS, words=_CROWD),
    _row("Exchange Online: connections", _CONNECTIONS, words=_EXCHANGE_CROWD),
    _row("Exchange Online: the sender's own mailbox is full", _QUOTA, words=r"STOREDRV\.Submission.*[^n]QuotaExceeded"),
    _row("Exchange Online: daily recipients", _QUOTA, words=r"submission quota|SubmissionQuotaExceeded"),
    _row("Exchange Online: daily limit", _QUOTA, enhanced=r"5\.1\.90"),
    _row("Exchange Online: the tenant's threshold", _QUOTA, enhanced=r"5\.7\.705|5\.7\.23[23]"),
    _row("Exchange Online: no SendAs", _SENDER, words=r"SendAsDenied|(not allowed|permissions?) to send as"),
    _row("Exchange Online: the sender is blocked", _SENDER, enhanced=r"5\.1\.8|5\.7\.50[1-3]|5\.7\.511|5\.7\.7(08|50)"),
    _row("Exchange Online: the address we come from is banned", _SENDER, enhanced=r"5\.7\.6(0[6-9]|[1-4]\d)"),
    _row("Exchange Online: slow down", _RATE, enhanced=r"4\.7\.[56]\d\d"),
    _row("SES: daily quota", _QUOTA, words=r"daily message quota exceeded"),
    _row("SES: rate", _RATE, words=r"maximum sending rate exceeded"),
    _row("SES: the sender is not verified", _SENDER, words=r"address(es)? (is|are) not verified"),
    _row("SES: the user may not send", _SENDER, words=r"is not authorized to perform"),
    _row("SES: the account is stopped", _SENDER, words=r"sending (suspended|paused) for this account"),
    _row("SES: a session too long", _RECONNECT, words=_TOO_LONG_A_SESSION),
    _row("Gmail: about the recipient's domain", _NOT_NOW, codes="421", words=r"for RCPT domain"),
    _row("Gmail: daily limit", _QUOTA, enhanced=r"[45]\.4\.5", words=r"limit|quota"),
    _row("Gmail: relay at its peak", _RATE, words=r"relay (sending )?limit exceeded"),
    _row("Gmail: unusual rate", _RATE, enhanced=r"4\.7\.28"),
    _row("Gmail: the recipient gets too much", _RECIPIENT_RATE, enhanced=r"[45]\.2\.1", words=r"too quickly|at a rate"),
    _row("Gmail: too many log-ins", _RATE, words=r"too many log-?in attempts"),
    _row("Zoho: unusual activity", _QUOTA, words=r"unusual sending activity"),
    _row("quota, in words", _QUOTA, words=_DAILY),
    _row("throttling, in words", _RATE, words=_TOO_FAST),
    _row("greylisting, in words", _GREYLISTED, *_LATER, codes="4..", words=r"gr[ea]y-?list"),
    _row("Postfix: our name at EHLO", _SENDER, words=r"helo command rejected"),
    # AUTH: the same code means the same after every command, for a session can lose its authentication.
    _row("AUTH failed or is wanted", _AUTH, codes="530|534|535|538"),
    _row("AUTH, by enhanced code", _AUTH, enhanced=r"[45]\.7\.(8|9|14|57|139)"),
    _row("no relaying without AUTH", _AUTH, words=_NO_RELAY),
    _row("AUTH, not now", _AUTH, Command.EHLO, codes="454"),
    # RFC 3463, and what providers mean by it.
    _row("454: throttled", _RATE, codes="454"),
    _row("432: the mailbox is at a limit", _RATE, codes="432"),
    _row("421 4.7.x: slow down", _RATE, codes="421", enhanced=r"4\.7\.\d+"),
    _row("4.5.3: too many recipients in a session", _RATE, enhanced=r"4\.5\.3"),
    _row("4.4.2: timed out in the middle", _PROTOCOL, *_LATER, enhanced=r"4\.4\.2"),
    _row("4.4.2: sat idle", _RECONNECT, enhanced=r"4\.4\.2"),
    _row("x.1.7, x.1.8: bad sender", _SENDER, enhanced=r"[45]\.1\.[78]"),
    _row("503: out of step", _PROTOCOL, codes="503"),
    _row("MAIL, for good: the sender", _SENDER, Command.MAIL, codes="5.."),
    _row("5.1.1, 5.1.6, 5.1.10, 5.2.1: nobody there", _DEAD, enhanced=r"5\.1\.(1|6|10)|5\.2\.1"),
    _row("Exchange: no such recipient", _DEAD, Command.RCPT, enhanced=r"5\.4\.1", words=r"access denied"),
    _row("5.1.x: bad address", _BAD_ADDRESS, enhanced=r"5\.1\.\d+"),
    _row("5.6.7: SMTPUTF8", _BAD_ADDRESS, enhanced=r"5\.6\.7"),
    _row("4.2.2: full for now", _FULL_NOW, enhanced=r"4\.2\.2"),
    _row("5.2.2: full", _FULL, enhanced=r"5\.2\.2"),
    _row("5.3.4, 5.2.3: too big", _TOO_BIG, enhanced=r"5\.3\.4|5\.2\.3"),
    _row("4.3.x: the system, in the middle", _BUSY_NOW, *_LATER, enhanced=r"4\.3\.\d+"),
    _row("4.3.x: the system", _BUSY, enhanced=r"4\.3\.\d+"),
    _row("4.7.1: greylisting", _GREYLISTED, *_LATER, codes="45.", enhanced=r"4\.7\.1"),
    _row("5.7.x: policy", _POLICY, enhanced=r"5\.7\.\d+"),
    _row("5.6.x: content", _POLICY, enhanced=r"5\.6\.\d+"),
    # RFC 5321.
    _row("421 in the middle", _BUSY_NOW, *_LATER, codes="421"),
    _row("421", _BUSY, codes="421"),
    _row("MAIL, for now", _BUSY, Command.MAIL, codes="4.."),
    _row("full for now, in words", _FULL_NOW, codes="4..", words=_NO_ROOM),
    _row("4yz", _NOT_NOW, codes="4.."),
    _row("nobody there, in words", _DEAD, Command.RCPT, codes="55[0-3]", words=_NOBODY),
    _row("552 to RCPT: full", _FULL, Command.RCPT, codes="552"),
    _row("552 to content: too big", _TOO_BIG, Command.CONTENT, codes="552"),
    _row("501, 553, 555 to RCPT: bad address", _BAD_ADDRESS, Command.RCPT, codes="501|553|555"),
    _row("554 to RCPT: policy", _POLICY, Command.RCPT, codes="554"),
    _row("content refused for good", _POLICY, Command.CONTENT, codes="5.."),
    _row("5yz", _REFUSED, codes="5.."),
)
# fmt: on


def classify(verdict: Verdict) -> Outcome:
    """What a transaction's end means."""
    if verdict.stage is Stage.CONTENT:
        return _UNCONFIRMED
    if verdict.stage is Stage.ENVELOPE:
        return _LOST
    if verdict.accepted:
        return _SENT
    outcome = row_for(verdict).outcome
    return outcome if verdict.command in (Command.RCPT, Command.CONTENT) else replace(outcome, refund=True)


def classify_connect(failure: ConnectFailed) -> Outcome:
    """What a failed connection means: never anything for the message, which was not begun."""
    outcome = _CONNECT[failure.stage]
    if failure.reply is not None and failure.reply.negative:
        row = row_for(Verdict.replied(Command.EHLO, failure.reply))
        if row.outcome.scope is Scope.MAILBOX:
            outcome = row.outcome
    return replace(outcome, kind=Kind.NOT_SENT, refund=True)


def row_for(verdict: Verdict) -> Row:
    """The row that decides on a refusal. There is always one, for the last ones take every 4yz and 5yz."""
    return next(row for row in ROWS if row.fits(verdict))


_CONNECT = {
    ConnectStage.RESOLVE: Outcome(Kind.NOT_SENT, Scope.SERVER, Reason.UNREACHABLE, park=True),
    ConnectStage.REFUSED: Outcome(Kind.NOT_SENT, Scope.MAILBOX, Reason.HOST_REFUSED, park=True),
    ConnectStage.CONNECT: Outcome(Kind.NOT_SENT, Scope.SERVER, Reason.UNREACHABLE, park=True),
    ConnectStage.TLS: Outcome(Kind.NOT_SENT, Scope.MAILBOX, Reason.TLS, park=True),
    ConnectStage.EHLO: _BUSY,
    ConnectStage.AUTH: _AUTH,
}
