"""The outcome table: a real answer for every row, and what happens then."""

from __future__ import annotations

import pytest
from maillane_sender.smtp import Command, Kind, Outcome, Reason, Scope, Stage, Verdict, classify
from maillane_sender.smtp.classify import ROWS, row_for
from maillane_sender.smtp.reply import ReplyParser

MAILBOX_WAITS = (Kind.NOT_SENT, Scope.MAILBOX)
RETRY = (Kind.RETRY, Scope.RECIPIENT)
FAILED = (Kind.FAILED, Scope.RECIPIENT)
CAMPAIGN = (Kind.FAILED, Scope.CAMPAIGN)

REPLIES: list[tuple[str, str, str, tuple[Kind, Scope], Reason]] = [
    # row, command, answer, kind and scope, reason
    ("too big, in words", "CONTENT", "552 5.2.3 Your message exceeded Google's message size limits", CAMPAIGN, Reason.TOO_BIG),
    ("too many connections", "MAIL", "421 Too many concurrent SMTP connections", MAILBOX_WAITS, Reason.TOO_MANY_CONNECTIONS),
    ("too many connections", "MAIL", "421 4.7.0 mx.example Error: too many connections from 192.0.2.1", MAILBOX_WAITS, Reason.TOO_MANY_CONNECTIONS),
    ("Exchange Online: connections", "CONTENT", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", MAILBOX_WAITS, Reason.TOO_MANY_CONNECTIONS),
    ("Exchange Online: connections", "CONTENT", "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending", MAILBOX_WAITS, Reason.TOO_MANY_CONNECTIONS),
    ("Exchange Online: the sender's own mailbox is full", "CONTENT", "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded", MAILBOX_WAITS, Reason.QUOTA),
    ("Exchange Online: daily recipients", "CONTENT", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; the sender's submission quota was exceeded", MAILBOX_WAITS, Reason.QUOTA),
    ("Exchange Online: daily limit", "CONTENT", "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", MAILBOX_WAITS, Reason.QUOTA),
    ("Exchange Online: the tenant's threshold", "CONTENT", "550 5.7.705 Access denied, tenant has exceeded threshold", MAILBOX_WAITS, Reason.QUOTA),
    ("Exchange Online: no SendAs", "CONTENT", "554 5.2.252 SendAsDenied; a@x.example not allowed to send as b@x.example", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("Exchange Online: the sender is blocked", "RCPT", "550 5.1.8 Access denied, bad outbound sender", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("Exchange Online: the sender is blocked", "CONTENT", "550 5.7.501 Access denied, spam abuse detected", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("Exchange Online: the address we come from is banned", "RCPT", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("Exchange Online: slow down", "RCPT", "451 4.7.500 Server busy. Please try again later", MAILBOX_WAITS, Reason.RATE),
    ("SES: daily quota", "CONTENT", "454 Throttling failure: Daily message quota exceeded.", MAILBOX_WAITS, Reason.QUOTA),
    ("SES: rate", "CONTENT", "454 Throttling failure: Maximum sending rate exceeded.", MAILBOX_WAITS, Reason.RATE),
    ("SES: the sender is not verified", "CONTENT", "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: a@x.example", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("SES: the user may not send", "CONTENT", "554 Access denied: User `arn:aws:iam::1:user/a' is not authorized to perform `ses:SendRawEmail' on resource", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("SES: the account is stopped", "CONTENT", "554 Message rejected: Sending suspended for this account.", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("SES: a session too long", "MAIL", "421 Too many messages on the connection", (Kind.NOT_SENT, Scope.CONNECTION), Reason.PROTOCOL),
    ("Gmail: about the recipient's domain", "RCPT", "421 4.7.0 TLS required for RCPT domain, closing connection.", RETRY, Reason.NOT_NOW),
    ("Gmail: daily limit", "CONTENT", "550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to", MAILBOX_WAITS, Reason.QUOTA),
    ("Gmail: daily limit", "MAIL", "550 5.4.5 Daily SMTP relay sending limit exceeded for user.", MAILBOX_WAITS, Reason.QUOTA),
    ("Gmail: relay at its peak", "RCPT", "450 4.2.1 Peak SMTP relay limit exceeded for customer. This is a temporary error.", MAILBOX_WAITS, Reason.RATE),
    ("Gmail: unusual rate", "CONTENT", "421 4.7.28 Gmail has detected too much of something originating from your IP address.", MAILBOX_WAITS, Reason.RATE),
    ("Gmail: the recipient gets too much", "RCPT", "450 4.2.1 The user you are trying to contact is receiving mail too quickly.", RETRY, Reason.RECIPIENT_RATE),
    ("Gmail: the recipient gets too much", "RCPT", "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages", RETRY, Reason.RECIPIENT_RATE),
    ("Gmail: too many log-ins", "EHLO", "454 4.7.0 Too many login attempts, please try again later.", MAILBOX_WAITS, Reason.RATE),
    ("Zoho: unusual activity", "CONTENT", "550 5.4.6 Unusual sending activity detected. Please try after sometime", MAILBOX_WAITS, Reason.QUOTA),
    ("quota, in words", "RCPT", "550 You have exceeded the daily sending limit of your account", MAILBOX_WAITS, Reason.QUOTA),
    ("quota, in words", "RCPT", "451 Hourly limit of 100 messages has been reached", MAILBOX_WAITS, Reason.QUOTA),
    ("throttling, in words", "MAIL", "450 4.7.1 Error: too much mail from 192.0.2.1", MAILBOX_WAITS, Reason.RATE),
    ("throttling, in words", "CONTENT", "421 4.7.0 Our system has detected an unusual rate of unsolicited mail originating from your IP address.", MAILBOX_WAITS, Reason.RATE),
    ("greylisting, in words", "RCPT", "450 4.2.0 zoe@example.net: Recipient address rejected: Greylisted", RETRY, Reason.GREYLISTED),
    ("Postfix: our name at EHLO", "RCPT", "504 5.5.2 <mta>: Helo command rejected: need fully-qualified hostname", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("AUTH failed or is wanted", "EHLO", "535 5.7.8 Username and Password not accepted.", MAILBOX_WAITS, Reason.AUTH),
    ("AUTH failed or is wanted", "EHLO", "534 5.7.9 Application-specific password required.", MAILBOX_WAITS, Reason.AUTH),
    ("AUTH failed or is wanted", "MAIL", "530 5.7.57 Client not authenticated to send mail.", MAILBOX_WAITS, Reason.AUTH),
    ("AUTH failed or is wanted", "EHLO", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.", MAILBOX_WAITS, Reason.AUTH),
    ("AUTH, by enhanced code", "MAIL", "550 5.7.8 Authentication credentials invalid", MAILBOX_WAITS, Reason.AUTH),
    ("no relaying without AUTH", "RCPT", "554 5.7.1 zoe@example.net: Relay access denied", MAILBOX_WAITS, Reason.AUTH),
    ("no relaying without AUTH", "RCPT", "550 5.7.1 Unable to relay", MAILBOX_WAITS, Reason.AUTH),
    ("AUTH, not now", "EHLO", "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later.", MAILBOX_WAITS, Reason.AUTH),
    ("454: throttled", "RCPT", "454 4.7.1 Please try again later", MAILBOX_WAITS, Reason.RATE),
    ("432: the mailbox is at a limit", "MAIL", "432 4.3.2 Try later", MAILBOX_WAITS, Reason.RATE),
    ("421 4.7.x: slow down", "MAIL", "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", MAILBOX_WAITS, Reason.RATE),
    ("421 4.7.x: slow down", "CONTENT", "421 4.7.0 Try again later, closing connection.", MAILBOX_WAITS, Reason.RATE),
    ("4.5.3: too many recipients in a session", "RCPT", "452 4.5.3 Your message has too many recipients.", MAILBOX_WAITS, Reason.RATE),
    ("4.4.2: timed out in the middle", "CONTENT", "451 4.4.2 Timeout - closing connection.", (Kind.RETRY, Scope.CONNECTION), Reason.PROTOCOL),
    ("4.4.2: sat idle", "MAIL", "421 4.4.2 mx.example Error: timeout exceeded", (Kind.NOT_SENT, Scope.CONNECTION), Reason.PROTOCOL),
    ("x.1.7, x.1.8: bad sender", "RCPT", "450 4.1.8 a@x.example: Sender address rejected: Domain not found", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("503: out of step", "MAIL", "503 5.5.1 nested MAIL command", (Kind.RETRY, Scope.CONNECTION), Reason.PROTOCOL),
    ("MAIL, for good: the sender", "MAIL", "553 5.7.1 a@x.example: Sender address rejected: not owned by user zoe", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("5.1.1, 5.1.6, 5.1.10, 5.2.1: nobody there", "RCPT", "550 5.1.1 The email account that you tried to reach does not exist.", FAILED, Reason.DEAD_ADDRESS),
    ("5.1.1, 5.1.6, 5.1.10, 5.2.1: nobody there", "CONTENT", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", FAILED, Reason.DEAD_ADDRESS),
    ("5.1.1, 5.1.6, 5.1.10, 5.2.1: nobody there", "RCPT", "550 5.2.1 The email account that you tried to reach is disabled.", FAILED, Reason.DEAD_ADDRESS),
    ("Exchange: no such recipient", "RCPT", "550 5.4.1 Recipient address rejected: Access denied.", FAILED, Reason.DEAD_ADDRESS),
    ("5.1.x: bad address", "RCPT", "553 5.1.3 The recipient address is not a valid RFC-5321 address.", FAILED, Reason.BAD_ADDRESS),
    ("5.6.7: SMTPUTF8", "EHLO", "550 5.6.7 the server does not offer SMTPUTF8", FAILED, Reason.BAD_ADDRESS),
    ("4.2.2: full for now", "RCPT", "452 4.2.2 The email account that you tried to reach is over quota.", RETRY, Reason.MAILBOX_FULL),
    ("5.2.2: full", "RCPT", "552 5.2.2 The email account that you tried to reach is over quota.", FAILED, Reason.MAILBOX_FULL),
    ("5.3.4, 5.2.3: too big", "CONTENT", "552 5.3.4 Error: too much mail data", CAMPAIGN, Reason.TOO_BIG),
    ("4.3.x: the system, in the middle", "RCPT", "451 4.3.0 Mail server temporarily rejected message.", (Kind.RETRY, Scope.SERVER), Reason.SERVER_BUSY),
    ("4.3.x: the system", "MAIL", "452 4.3.1 Insufficient system storage", (Kind.NOT_SENT, Scope.SERVER), Reason.SERVER_BUSY),
    ("4.7.1: greylisting", "RCPT", "451 4.7.1 Please try again in five minutes", RETRY, Reason.GREYLISTED),
    ("5.7.x: policy", "CONTENT", "550 5.7.1 Our system has detected that this message is likely unsolicited mail.", CAMPAIGN, Reason.POLICY),
    ("5.7.x: policy", "CONTENT", "552 5.7.0 This message was blocked because its content presents a potential security issue.", CAMPAIGN, Reason.POLICY),
    ("5.7.x: policy", "CONTENT", "550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy.", CAMPAIGN, Reason.POLICY),
    ("5.6.x: content", "CONTENT", "554 5.6.0 Message headers are malformed", CAMPAIGN, Reason.POLICY),
    ("421 in the middle", "CONTENT", "421 4.4.5 Server busy, try again later.", (Kind.RETRY, Scope.SERVER), Reason.SERVER_BUSY),
    ("421", "MAIL", "421 Service not available, closing transmission channel", (Kind.NOT_SENT, Scope.SERVER), Reason.SERVER_BUSY),
    ("MAIL, for now", "MAIL", "451 Temporary service failure", (Kind.NOT_SENT, Scope.SERVER), Reason.SERVER_BUSY),
    ("full for now, in words", "RCPT", "452 mailbox is full", RETRY, Reason.MAILBOX_FULL),
    ("4yz", "RCPT", "450 Requested mail action not taken: mailbox unavailable", RETRY, Reason.NOT_NOW),
    ("4yz", "CONTENT", "451 Requested action aborted: local error in processing", RETRY, Reason.NOT_NOW),
    ("nobody there, in words", "RCPT", "550 No such user here", FAILED, Reason.DEAD_ADDRESS),
    ("nobody there, in words", "RCPT", "550 zoe@example.net: Recipient address rejected: User unknown in local recipient table", FAILED, Reason.DEAD_ADDRESS),
    ("552 to RCPT: full", "RCPT", "552 Requested mail action aborted: exceeded storage allocation", FAILED, Reason.MAILBOX_FULL),
    ("552 to content: too big", "CONTENT", "552 Requested mail action aborted: exceeded storage allocation", CAMPAIGN, Reason.TOO_BIG),
    ("501, 553, 555 to RCPT: bad address", "RCPT", "555 Syntax error", FAILED, Reason.BAD_ADDRESS),
    ("554 to RCPT: policy", "RCPT", "554 Transaction failed", CAMPAIGN, Reason.POLICY),
    ("content refused for good", "CONTENT", "554 Transaction failed: blocked", CAMPAIGN, Reason.POLICY),
    ("5yz", "RCPT", "550 Requested action not taken: mailbox unavailable", FAILED, Reason.REFUSED),
    ("5yz", "DATA", "554 no valid recipients", FAILED, Reason.REFUSED),
]  # fmt: skip

# What these providers say, by their own documentation and in the field, beyond one answer a row: provider, command,
# answer, kind and scope, reason.
PROVIDERS: list[tuple[str, str, str, tuple[Kind, Scope], Reason]] = [
    ("Gmail", "EHLO", "421 4.7.0 Try again later, closing connection. (EHLO)", MAILBOX_WAITS, Reason.RATE),
    ("Gmail", "EHLO", "530 5.7.0 Must issue a STARTTLS command first.", MAILBOX_WAITS, Reason.AUTH),
    ("Gmail", "MAIL", "530 5.5.1 Authentication Required. For more information, go to", MAILBOX_WAITS, Reason.AUTH),
    ("Gmail", "MAIL", "421 4.3.0 Temporary System Problem. Try again later.", (Kind.NOT_SENT, Scope.SERVER), Reason.SERVER_BUSY),
    ("Gmail", "RCPT", "553 5.1.2 We weren't able to find the recipient domain.", FAILED, Reason.BAD_ADDRESS),
    ("Gmail", "RCPT", "550 5.7.0 Mail relay denied.", MAILBOX_WAITS, Reason.AUTH),
    ("Gmail", "CONTENT", "550 5.4.5 Daily user sending quota exceeded.", MAILBOX_WAITS, Reason.QUOTA),
    ("Gmail", "CONTENT", "550 5.7.28 There is an unusual rate of unsolicited mail originating from your IP address.", MAILBOX_WAITS, Reason.RATE),
    ("Gmail", "CONTENT", "421 4.7.26 This mail has been rate limited because it is unauthenticated.", MAILBOX_WAITS, Reason.RATE),
    ("Gmail", "CONTENT", "550 5.7.1 This message is not RFC 5322 compliant.", CAMPAIGN, Reason.POLICY),
    ("Exchange Online", "EHLO", "535 5.7.3 Authentication unsuccessful", MAILBOX_WAITS, Reason.AUTH),
    ("Exchange Online", "EHLO", "421 4.3.2 The maximum number of concurrent connections has exceeded a limit, closing transmission channel", MAILBOX_WAITS, Reason.TOO_MANY_CONNECTIONS),
    ("Exchange Online", "CONTENT", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("Exchange Online", "RCPT", "550 5.7.511 Access denied, banned sender", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("Exchange Online", "RCPT", "451 4.7.651 The mail server has been temporarily rate limited due to IP reputation.", MAILBOX_WAITS, Reason.RATE),
    ("Exchange Online", "RCPT", "550 5.7.64 TenantAttribution; Relay Access Denied", MAILBOX_WAITS, Reason.AUTH),
    ("Exchange Online", "RCPT", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", MAILBOX_WAITS, Reason.AUTH),
    ("Exchange Online", "RCPT", "450 4.4.62 Mail sent to the wrong Office 365 region. ATTR35.", RETRY, Reason.NOT_NOW),
    ("Exchange Online", "CONTENT", "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains.", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("SES", "EHLO", "535 Authentication Credentials Invalid", MAILBOX_WAITS, Reason.AUTH),
    ("SES", "MAIL", "530 Authentication required", MAILBOX_WAITS, Reason.AUTH),
    ("SES", "MAIL", "501 Invalid MAIL FROM address provided", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("SES", "CONTENT", "454 Temporary service failure", MAILBOX_WAITS, Reason.RATE),
    ("SES", "CONTENT", "451 4.4.2 Timeout waiting for data from client.", (Kind.RETRY, Scope.CONNECTION), Reason.PROTOCOL),
    ("SES", "CONTENT", "554 Message rejected: Sending paused for this account.", MAILBOX_WAITS, Reason.SENDER_REFUSED),
    ("SES", "CONTENT", "552 5.3.4 Message is too long.", CAMPAIGN, Reason.TOO_BIG),
    ("Postfix", "EHLO", "421 4.7.0 mx.example Error: too many connections from 192.0.2.1", MAILBOX_WAITS, Reason.TOO_MANY_CONNECTIONS),
    ("Postfix", "MAIL", "450 4.7.1 Error: too much mail from 192.0.2.1", MAILBOX_WAITS, Reason.RATE),
    ("Postfix", "MAIL", "452 4.3.1 Insufficient system storage", (Kind.NOT_SENT, Scope.SERVER), Reason.SERVER_BUSY),
    ("Postfix", "MAIL", "552 5.3.4 Message size exceeds fixed limit", CAMPAIGN, Reason.TOO_BIG),
    ("Postfix", "RCPT", "450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.1]", RETRY, Reason.GREYLISTED),
    ("Postfix", "RCPT", "550 5.1.1 zoe@example.net: Recipient address rejected: User unknown in virtual mailbox table", FAILED, Reason.DEAD_ADDRESS),
    ("Postfix", "RCPT", "451 4.3.0 zoe@example.net: Temporary lookup failure", (Kind.RETRY, Scope.SERVER), Reason.SERVER_BUSY),
    ("Postfix", "RCPT", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using a list", CAMPAIGN, Reason.POLICY),
    ("Postfix", "RCPT", "450 4.2.0 zoe@example.net: Recipient address rejected: Greylisted, see http://postgrey.example", RETRY, Reason.GREYLISTED),
    ("Postfix", "DATA", "554 5.5.1 Error: no valid recipients", FAILED, Reason.REFUSED),
    ("Postfix", "CONTENT", "550 5.7.1 Message content rejected", CAMPAIGN, Reason.POLICY),
    ("Postfix", "CONTENT", "451 4.3.0 Error: queue file write error", (Kind.RETRY, Scope.SERVER), Reason.SERVER_BUSY),
    ("Postfix", "CONTENT", "421 4.4.2 mx.example Error: timeout exceeded", (Kind.RETRY, Scope.CONNECTION), Reason.PROTOCOL),
]  # fmt: skip


def verdict(command: str, answer: str) -> Verdict:
    (reply,) = ReplyParser().feed(answer.encode() + b"\r\n")
    return Verdict.replied(Command[command], reply)


@pytest.mark.parametrize(("row", "command", "answer", "what", "reason"), REPLIES)
def test_real_answers(row: str, command: str, answer: str, what: tuple[Kind, Scope], reason: Reason) -> None:
    """An answer meets its row, and what happens is what its sender meant."""
    given = verdict(command, answer)
    outcome = classify(given)

    assert row_for(given).name == row
    assert ((outcome.kind, outcome.scope), outcome.reason) == (what, reason)


@pytest.mark.parametrize(("provider", "command", "answer", "what", "reason"), PROVIDERS)
def test_what_providers_say(provider: str, command: str, answer: str, what: tuple[Kind, Scope], reason: Reason) -> None:
    """An answer of a large provider's, or of the commonest server, concerns whom it means."""
    outcome = classify(verdict(command, answer))

    assert ((outcome.kind, outcome.scope), outcome.reason) == (what, reason)


def test_every_row_is_tested() -> None:
    """No row without an answer that it is for."""
    assert {row for row, *_ in REPLIES} == {row.name for row in ROWS}


@pytest.mark.parametrize("command", list(Command))
def test_every_refusal_meets_a_row(command: Command) -> None:
    """No answer is left over, and one for now is never taken for one for good."""
    codes = [*range(400, 460), *range(500, 560)]
    kinds = {code: classify(Verdict(Stage.REPLIED, code, "", "", command)).kind for code in codes}

    assert set(kinds.values()) <= {Kind.FAILED, Kind.RETRY, Kind.NOT_SENT}
    assert [code for code, kind in kinds.items() if kind is Kind.FAILED and code < 500] == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Verdict(Stage.REPLIED, 250, "2.0.0", "ok", Command.CONTENT), Outcome(Kind.SENT, Scope.RECIPIENT, Reason.ACCEPTED)),
        (Verdict(Stage.ENVELOPE, 0, "", "lost", Command.MAIL), Outcome(Kind.NOT_SENT, Scope.CONNECTION, Reason.LOST, refund=True)),
        (Verdict(Stage.CONTENT, 0, "", "lost", Command.CONTENT), Outcome(Kind.UNCONFIRMED, Scope.CONNECTION, Reason.LOST)),
    ],
)  # fmt: skip
def test_other_ends(given: Verdict, expected: Outcome) -> None:
    """Accepted is sent; lost before content is not sent and costs nothing; lost after it is unknown."""
    assert classify(given) == expected


@pytest.mark.parametrize(
    ("command", "refund"), [("EHLO", True), ("MAIL", True), ("RCPT", False), ("DATA", True), ("CONTENT", False)]
)
def test_refunds(command: str, refund: bool) -> None:
    """A permit is spent where content began or the recipient was refused."""
    assert classify(verdict(command, "554 5.4.5 Daily limit exceeded")).refund is refund


@pytest.mark.parametrize("answer", ["550 5.1.1 gone", "550 No such user"])
def test_dead_addresses_are_suppressed(answer: str) -> None:
    """Mail to an address that does not exist harms the sender: never again."""
    assert classify(verdict("RCPT", answer)).suppress


@pytest.mark.parametrize(
    "answer", ["552 5.2.2 full", "550 5.7.1 spam", "550 5.1.3 bad", "450 4.2.1 busy", "554 5.7.1 Relay access denied"]
)
def test_others_are_not(answer: str) -> None:
    """An address that is only full, or not wanted, is not dead."""
    assert not classify(verdict("RCPT", answer)).suppress
