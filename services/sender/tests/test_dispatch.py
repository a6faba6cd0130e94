"""From claim to settle: against a scheduler made for tests, and real conversations by SMTP."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane_chassis.clock import SYSTEM_CLOCK, Clock
from maillane_sender.dispatch import End, outbox
from maillane_sender.dispatch.deliverer import MAX_LOSSES

from .fake_scheduler import CAMPAIGN, MAILBOX, FakeScheduler, message, messages, serving
from .running import BRISK, Running, running
from .scripted import Do, Script, Scripted, scripted

HASTELESS = replace(BRISK, renew_every_s=600)
"""No renewal comes in between."""


@contextlib.asynccontextmanager
async def world(script: Script | None = None, **changes: Any) -> AsyncIterator[tuple[Scripted, FakeScheduler, Running]]:
    """An SMTP server with one mailbox, a scheduler with one campaign, and a sender at work."""
    async with scripted(script) as smtp, serving(FakeScheduler()) as fake:
        fake.mailbox(smtp.port)
        fake.campaign()
        async with running(fake.port, smtp.port, **changes) as run:
            yield smtp, fake, run
            smtp.released.set()


def recipients(smtp: Scripted) -> list[str]:
    return [command for command in smtp.commands if command.startswith("RCPT")]


async def reached(smtp: Scripted, event: str) -> None:
    async with asyncio.timeout(10):
        await smtp.event(event).wait()


async def test_what_is_claimed_is_sent_and_settled() -> None:
    """Forty messages that are due arrive once each, and are settled as sent with the server's answer."""
    async with world() as (smtp, fake, _):
        await fake.put(*messages(40))
        settled = await fake.all_settled(40)

        assert {(settle.outcome, settle.code) for settle in settled.values()} == {(pb.OUTCOME_SENT, 250)}
        assert len(smtp.messages) == fake.settles == 40


async def test_headers() -> None:
    """A message has its recipient's values, and a Message-ID made of its id, the campaign's key and the domain."""
    async with world() as (smtp, fake, _):
        await fake.put(message(36 * 36 + 1, variables='{"name": "Zoe"}'))
        await fake.all_settled(1)

    assert b"Subject: Hi Zoe\r\n" in smtp.messages[0]
    assert b"Message-ID: <101.c0@acme.example>\r\n" in smtp.messages[0]


async def test_no_more_slots_than_messages_can_be_held() -> None:
    """Whatever goes on, what is held and what is asked for are at most three times the concurrency."""
    async with world({"CONTENT": [Do.WAIT] * 100}) as (smtp, fake, run):
        await fake.put(*messages(40))
        await fake.until(lambda: len(fake.due) == 25)
        await reached(smtp, "CONTENT")
        held, sending = run.sender.dispatch.held, run.sender.dispatch.sending
        smtp.released.set()
        await fake.all_settled(40)

        assert max(call.slots for call in fake.of(pb.ClaimMessagesRequest)) == held == 15
        # Five in their content, and five whose envelopes ride behind it.
        assert sending == 10
        assert smtp.most_open == 5


@pytest.mark.parametrize(("free", "asked"), [(2, [15]), (3, [15, 3])])
async def test_a_few_free_slots_are_asked_for_together(free: int, asked: list[int]) -> None:
    """While all connections are at work, nothing is claimed for two of fifteen slots; for three there is one claim."""
    async with world({"CONTENT": [Do.BEHAVE] * free + [Do.WAIT] * 100}) as (_, fake, _run):
        await fake.put(*messages(40))
        await fake.all_settled(free)
        await fake.until(lambda: len(fake.due) == 40 - sum(asked))

        assert [call.slots for call in fake.of(pb.ClaimMessagesRequest) if call.slots] == asked


async def test_the_pool_knows_of_all_that_is_held() -> None:
    """The messages of every mailbox are in line for a connection: five of one do not keep those of others from it."""
    async with world({"CONTENT": [Do.WAIT] * 100}) as (smtp, fake, run):
        for mailbox in (11, 12, 13):
            fake.mailbox(smtp.port, mailbox)
        await fake.put(*(one for mailbox in (11, 12, 13) for one in messages(5, mailbox, first=mailbox * 100)))
        async with asyncio.timeout(10):
            while run.sender.dispatch.sending < 15:
                await asyncio.sleep(0.001)
        smtp.released.set()

        assert len(await fake.all_settled(15)) == 15


async def test_five_at_a_time() -> None:
    """Over all mailboxes, no more than five transactions run at a time."""
    async with world({"CONTENT": [Do.WAIT] * 100}) as (smtp, fake, _):
        for mailbox in (11, 12, 13):
            fake.mailbox(smtp.port, mailbox)
            await fake.put(*messages(8, mailbox, first=mailbox * 100))
        while len(smtp.messages) < 5:
            await reached(smtp, "CONTENT")
            smtp.reached.pop("CONTENT")
        most = smtp.most_open
        smtp.released.set()
        await fake.all_settled(24)

    assert most == 5


@pytest.mark.parametrize("connections", [1, 2])
async def test_the_cap_of_a_mailbox(connections: int) -> None:
    """A mailbox has no more connections than the scheduler says, and another does not wait for it."""
    async with scripted() as other, scripted({"CONTENT": [Do.WAIT] * 6}) as smtp, serving(FakeScheduler()) as fake:
        fake.campaign()
        fake.mailbox(smtp.port, 11, max_connections=connections)
        fake.mailbox(other.port, 12)
        async with running(fake.port, smtp.port, smtp_ports=f"{smtp.port},{other.port}") as run:
            await fake.put(*messages(6, 11, first=101), *messages(6, 12, first=201))
            await fake.all_settled(6)
            first = set(fake.settled)
            at_work = run.sender.dispatch.sending
            smtp.released.set()
            await fake.all_settled(12)

    assert first == set(range(201, 207))
    assert smtp.most_open == connections
    assert at_work == 2 * connections


async def test_order_within_a_mailbox() -> None:
    """The messages of a mailbox begin in the order in which they were claimed, though another takes turns with it."""
    async with world() as (smtp, fake, _):
        fake.mailbox(smtp.port, 11, max_connections=1)
        fake.mailbox(smtp.port, 12, max_connections=1)
        mixed = [pair for both in zip(messages(20, 11), messages(20, 12, first=101), strict=True) for pair in both]
        await fake.put(*mixed)
        await fake.all_settled(40)

    numbers = [int(command.partition("<r")[2].partition("@")[0]) for command in recipients(smtp)]
    assert [number for number in numbers if number < 100] == list(range(1, 21))
    assert [number for number in numbers if number > 100] == list(range(101, 121))


async def test_templates_and_transports_are_asked_for_once() -> None:
    """What was asked for once serves every message of its revision; a newer revision is asked for anew."""
    async with world() as (_, fake, _run):
        await fake.put(*messages(20))
        await fake.all_settled(20)
        fake.campaign(revision=2, subject="New")
        fake.transports[MAILBOX].revision = 2
        await fake.put(*(message(n, template_revision=2, transport_revision=2) for n in range(21, 41)))
        await fake.all_settled(40)

    assert len(fake.of(pb.GetTemplateRequest)) == len(fake.of(pb.GetTransportRequest)) == 2


# What the scheduler's answers may do.


async def test_a_claim_whose_answer_is_lost() -> None:
    """It is repeated with its id and its settles until answered, and nothing is sent twice."""
    async with world() as (smtp, fake, _):
        fake.fail["ClaimMessages"] = 3
        await fake.put(*messages(10))
        await fake.all_settled(10)

    asked = [(c.claim_id, c.slots, len(c.settles)) for c in fake.of(pb.ClaimMessagesRequest)]
    assert asked[:4] == [asked[0]] * 4
    assert len(smtp.messages) == 10


async def test_settles_of_a_lost_claim_are_repeated_with_it() -> None:
    """Outcomes that ride with a claim ride with each of its repetitions, unchanged."""
    async with world({"CONTENT": [Do.BEHAVE] * 9 + [Do.WAIT]}, sender_concurrency=1) as (smtp, fake, _):
        await fake.put(*messages(12))
        await fake.until(lambda: any(call.settles for call in fake.of(pb.ClaimMessagesRequest)))
        fake.fail["ClaimMessages"] = 2
        smtp.released.set()
        await fake.all_settled(12)

    by_claim: dict[int, list[bytes]] = {}
    for call in fake.of(pb.ClaimMessagesRequest):
        by_claim.setdefault(call.claim_id, []).append(call.SerializeToString())
    assert max(map(len, by_claim.values())) == 3
    assert all(len(set(calls)) == 1 for calls in list(by_claim.values())[:-1])


async def test_a_settle_is_repeated_until_answered() -> None:
    """An outcome is told again until the scheduler has confirmed it."""
    async with world() as (_, fake, run):
        fake.fail["SettleMessages"] = 3
        await fake.put(message(1))
        await fake.until(lambda: len(fake.of(pb.SettleMessagesRequest)) == 4)
        drained = await run.sender.dispatch.drain(5)

    told = {tuple(s.message_id for s in call.settles) for call in fake.of(pb.SettleMessagesRequest)}
    assert told == {(1,)}
    assert drained.untold == 0


async def test_an_outcome_that_the_scheduler_fails_over_holds_up_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it rides with a claim or goes with others: all others are told, claims go on, and it is not dropped."""
    monkeypatch.setattr(outbox, "INSIST_EVERY_S", 0.1)
    async with world(sender_concurrency=1) as (smtp, fake, _):
        fake.poison = 4
        await fake.put(*messages(12))
        await fake.until(lambda: len(fake.settled) == 11)
        await fake.put(*messages(12, first=13))
        await fake.until(lambda: len(fake.settled) == 23)
        fake.poison = 0
        await fake.all_settled(24)

    assert len(smtp.messages) == 24


async def test_nothing_is_claimed_while_too_many_outcomes_are_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the poll that was open, nothing more is asked for until what the scheduler fails over is told."""
    monkeypatch.setattr(outbox, "INSIST_EVERY_S", 0.1)
    monkeypatch.setattr(outbox, "MOST_UNTOLD", 1)
    async with world() as (smtp, fake, _):
        fake.poison = 1
        await fake.put(message(1))
        await fake.until(lambda: _tries(fake) >= 3)
        await fake.put(message(2))
        await fake.all_settled(1)
        tried = _tries(fake)
        await fake.put(message(3))
        await fake.until(lambda: _tries(fake) >= tried + 3)
        sent_before = len(smtp.messages)
        fake.poison = 0
        await fake.all_settled(3)

    assert sent_before == 2


def _tries(fake: FakeScheduler) -> int:
    """How often the outcome of the first message was told."""
    return sum(1 in {settle.message_id for settle in call.settles} for call in fake.of(pb.SettleMessagesRequest))


class Unhurried(FakeScheduler):
    """Takes a moment for each claim, as over a wire; `told` outcomes came apart from claims while more was due."""

    told: int = 0

    async def ClaimMessages(self, request: pb.ClaimMessagesRequest, context: Any) -> pb.ClaimMessagesResponse:  # noqa: N802
        await asyncio.sleep(0.02)
        return await super().ClaimMessages(request, context)

    async def SettleMessages(self, request: pb.SettleMessagesRequest, context: Any) -> pb.SettleMessagesResponse:  # noqa: N802
        self.told += len(request.settles) if self.due else 0
        return await super().SettleMessages(request, context)


async def test_outcomes_ride_with_claims_while_these_come() -> None:
    """As long as claims are answered and asked again, each takes along what is known by then."""
    pace = replace(HASTELESS, claim_answers_within_s=0.3, settle_within_s=0.3)
    async with scripted() as smtp, serving(Unhurried()) as fake:
        fake.mailbox(smtp.port)
        fake.campaign()
        # At most fifteen a claim, of 20 ms or more: they last for longer than a claim should be open.
        await fake.put(*messages(400))
        async with running(fake.port, smtp.port, pace=pace):
            await fake.all_settled(400)

    assert cast(Unhurried, fake).told == 0


async def test_an_outcome_does_not_wait_for_a_poll() -> None:
    """While a long poll is open, an outcome is told by a call of its own."""
    async with world() as (_, fake, _run):
        await fake.put(message(1))
        await fake.all_settled(1)

    [call] = [call for call in fake.of(pb.SettleMessagesRequest) if call.settles]
    assert call.settles[0].outcome == pb.OUTCOME_SENT


async def test_a_scheduler_that_is_away() -> None:
    """What is in its turn while the scheduler is away is sent, and told when it is back, once each."""
    fake = FakeScheduler()
    fake.campaign()
    async with scripted({"CONTENT": [Do.WAIT] * 5}) as smtp:
        fake.mailbox(smtp.port)
        async with contextlib.AsyncExitStack() as stack:
            async with serving(fake):
                at_work = running(fake.port, smtp.port)
                run = await at_work.__aenter__()
                await fake.put(*messages(5))
                await reached(smtp, "CONTENT")
            smtp.released.set()
            while run.sender.dispatch.untold < 5:
                await asyncio.sleep(0.01)
            await stack.enter_async_context(serving(fake, fake.port))
            settled = await fake.all_settled(5)
            await at_work.__aexit__(None, None, None)

    assert {settle.outcome for settle in settled.values()} == {pb.OUTCOME_SENT}
    assert len(smtp.messages) == 5


async def test_a_sender_that_was_replaced() -> None:
    """It takes nothing more, finishes what it has, tells it, and ends with that reason."""
    async with world({"CONTENT": [Do.WAIT]}) as (smtp, fake, run):
        await fake.put(message(1))
        await reached(smtp, "CONTENT")
        fake.replaced = True
        await fake.put(message(2))
        await fake.until(lambda: fake.of(pb.ClaimMessagesRequest)[-1].claim_id not in fake.held or not fake.due)
        smtp.released.set()
        settled = await fake.all_settled(1)
        await fake.put(message(3))
        end = await asyncio.wait_for(run.task, 10)

    assert end is End.REPLACED
    assert settled[1].outcome == pb.OUTCOME_SENT


# Leases.


async def test_revoked_in_its_envelope() -> None:
    """A message that is revoked before its content goes back at once, though its server is slow."""
    async with world({"DATA": [Do.WAIT]}) as (smtp, fake, _):
        await fake.put(message(1))
        await reached(smtp, "DATA")
        fake.revoked = {1}
        settled = await fake.all_settled(1)

    assert settled[1].outcome == pb.OUTCOME_RETURNED
    assert smtp.messages == []


async def test_revoked_in_the_answer_that_brings_it() -> None:
    """What a repeated claim brings, and was stopped meanwhile, goes back; the rest of it is sent."""
    async with world(pace=HASTELESS) as (smtp, fake, _):
        fake.revoked = {1}
        await fake.put(*messages(2))
        settled = await fake.all_settled(2)

    assert [settled[number].outcome for number in (1, 2)] == [pb.OUTCOME_RETURNED, pb.OUTCOME_SENT]
    assert len(recipients(smtp)) == 1


async def test_revoked_in_content() -> None:
    """A message in content goes on; one that waits behind it goes back."""
    async with world({"CONTENT": [Do.WAIT]}, sender_concurrency=1) as (smtp, fake, _):
        await fake.put(*messages(2))
        await reached(smtp, "CONTENT")
        fake.revoked = {1, 2}
        await fake.until(lambda: 2 in fake.settled)
        smtp.released.set()
        settled = await fake.all_settled(2)

    assert (settled[1].outcome, settled[2].outcome) == (pb.OUTCOME_SENT, pb.OUTCOME_RETURNED)


async def test_a_lost_token() -> None:
    """What was held under a token that is not the sender's any more is not begun."""
    async with world({"DATA": [Do.WAIT]}, sender_concurrency=1) as (smtp, fake, _):
        await fake.put(*messages(3))
        await reached(smtp, "DATA")
        fake.lost = True
        settled = await fake.all_settled(3)

    assert {settle.outcome for settle in settled.values()} == {pb.OUTCOME_RETURNED}
    assert smtp.messages == []


class Ahead:
    """A clock that a test can put forward, as a suspended machine's jumps."""

    def __init__(self) -> None:
        self.by_s = 0.0
        self.clock = Clock(SYSTEM_CLOCK.wall, lambda: SYSTEM_CLOCK.monotonic() + self.by_s)


async def test_a_lease_that_is_too_short() -> None:
    """No content begins with less than 20 s left, counted from before the messages were asked for."""
    ahead = Ahead()
    async with world({"DATA": [Do.WAIT]}, clock=ahead.clock, pace=HASTELESS) as (smtp, fake, _):
        await fake.put(message(1))
        await reached(smtp, "DATA")
        ahead.by_s = 41
        smtp.released.set()
        settled = await fake.all_settled(1)

    assert (settled[1].outcome, settled[1].scope) == (pb.OUTCOME_RETURNED, pb.OUTCOME_SCOPE_CONNECTION)
    assert smtp.messages == []


async def test_a_lease_that_was_renewed() -> None:
    """A renewal moves the end of a lease, so that a message that waited for long is sent after all."""
    ahead = Ahead()
    async with world({"DATA": [Do.WAIT]}, clock=ahead.clock) as (smtp, fake, _):
        await fake.put(message(1))
        await reached(smtp, "DATA")
        ahead.by_s = 41
        seen = len(fake.of(pb.RenewClaimsRequest))
        await fake.until(lambda: len(fake.of(pb.RenewClaimsRequest)) >= seen + 2)
        smtp.released.set()
        settled = await fake.all_settled(1)

    assert settled[1].outcome == pb.OUTCOME_SENT


async def test_renewals_that_fail_are_repeated() -> None:
    """A renewal without an answer is tried again, with everything that is held."""
    async with world({"CONTENT": [Do.WAIT]}) as (smtp, fake, _):
        fake.fail["RenewClaims"] = 2
        await fake.put(message(1))
        await fake.until(lambda: len(fake.of(pb.RenewClaimsRequest)) >= 4)
        smtp.released.set()
        await fake.all_settled(1)

    [token] = {token for call in fake.of(pb.RenewClaimsRequest) for token in call.tokens}
    assert token in fake.held


# What servers and messages may do.


@pytest.mark.parametrize(
    ("script", "outcome", "scope", "code"),
    [
        ({"RCPT": ["550 5.1.1 no such user"]}, pb.OUTCOME_FAILED, pb.OUTCOME_SCOPE_RECIPIENT, 550),
        ({"RCPT": ["451 4.7.1 greylisted"]}, pb.OUTCOME_RETRY, pb.OUTCOME_SCOPE_RECIPIENT, 451),
        ({"MAIL": ["421 4.7.0 slow down"]}, pb.OUTCOME_RETURNED, pb.OUTCOME_SCOPE_MAILBOX, 421),
        ({"CONTENT": [Do.DROP]}, pb.OUTCOME_UNCONFIRMED, pb.OUTCOME_SCOPE_CONNECTION, 0),
        ({"GREETING": ["554 go away"]}, pb.OUTCOME_RETURNED, pb.OUTCOME_SCOPE_SERVER, 554),
    ],
)
async def test_outcomes(
    script: Script, outcome: pb.Outcome.ValueType, scope: pb.OutcomeScope.ValueType, code: int
) -> None:
    """What a server answers becomes what the scheduler is told."""
    async with world(script) as (_, fake, _run):
        await fake.put(message(1))
        settle = (await fake.all_settled(1))[1]

    assert (settle.outcome, settle.scope, settle.code) == (outcome, scope, code)


async def test_a_dead_address_is_suppressed() -> None:
    """The server's words go with it."""
    async with world({"RCPT": ["550 5.1.1 no such user"]}) as (_, fake, _run):
        await fake.put(message(1))
        settle = (await fake.all_settled(1))[1]

    assert (settle.suppress, settle.reply) == (True, "550 5.1.1 no such user")


async def test_nobody_listens() -> None:
    """A server that is not there costs no attempt, and its mailbox rests."""
    async with scripted() as gone:
        pass
    async with world(smtp_ports=str(gone.port)) as (_smtp, fake, _run):
        fake.mailbox(gone.port)
        await fake.put(message(1))
        settle = (await fake.all_settled(1))[1]

    assert (settle.outcome, settle.scope) == (pb.OUTCOME_RETURNED, pb.OUTCOME_SCOPE_SERVER)


async def test_a_server_that_always_hangs_up() -> None:
    """One lost connection is chance; after some in a row the mailbox rests."""
    async with world({"MAIL": [Do.DROP] * 20}, sender_concurrency=1) as (_, fake, _run):
        fake.transports[MAILBOX].max_connections = 1
        await fake.put(*messages(MAX_LOSSES))
        settled = await fake.all_settled(MAX_LOSSES)

    assert {settle.outcome for settle in settled.values()} == {pb.OUTCOME_RETURNED}
    scopes = [settled[n].scope for n in range(1, MAX_LOSSES + 1)]
    assert scopes == [pb.OUTCOME_SCOPE_CONNECTION] * (MAX_LOSSES - 1) + [pb.OUTCOME_SCOPE_SERVER]


async def test_a_bad_value_fails_its_recipient_only() -> None:
    """A line break for the subject fails that message, says which variable, and is never sent; its neighbours are."""
    async with world() as (smtp, fake, _):
        await fake.put(message(1), message(2, variables='{"name": "a\\nb"}'), message(3))
        settled = await fake.all_settled(3)

    assert [settled[n].outcome for n in (1, 2, 3)] == [pb.OUTCOME_SENT, pb.OUTCOME_FAILED, pb.OUTCOME_SENT]
    assert settled[2].reply.startswith("name: ")
    assert len(smtp.messages) == 2


async def test_a_bad_address_fails_its_recipient_only() -> None:
    """Nothing that is no address reaches a server."""
    async with world() as (smtp, fake, _):
        await fake.put(message(1, recipient="a@b> NOTIFY=NEVER"), message(2))
        settled = await fake.all_settled(2)

    assert [settled[n].outcome for n in (1, 2)] == [pb.OUTCOME_FAILED, pb.OUTCOME_SENT]
    assert len(recipients(smtp)) == 1


async def test_a_key_that_cannot_sign_sends_nothing_unsigned() -> None:
    """The mailbox rests and says why: no recipient is to blame, and no attempt is spent."""
    async with world() as (smtp, fake, _):
        signs: dict[str, Any] = {"dkim_domain": "acme.example", "dkim_selector": "s1", "dkim_private_key": "no key"}
        fake.mailbox(smtp.port, **signs)
        await fake.put(message(1))
        settle = (await fake.all_settled(1))[1]

    assert (settle.outcome, settle.scope) == (pb.OUTCOME_RETURNED, pb.OUTCOME_SCOPE_MAILBOX)
    assert settle.reply == "from: DKIM: not a private key in PEM"
    assert not smtp.messages


async def test_a_template_that_does_not_compile() -> None:
    """Its messages fail, for the campaign's sake."""
    async with world() as (_, fake, _run):
        fake.campaign(text="Hello {{na me}}")
        await fake.put(message(1))
        settle = (await fake.all_settled(1))[1]

    assert (settle.outcome, settle.scope) == (pb.OUTCOME_FAILED, pb.OUTCOME_SCOPE_CAMPAIGN)
    assert settle.reply.startswith("the template: ")


async def test_a_mailbox_that_is_no_address() -> None:
    """It is the mailbox that rests; no recipient's message fails for it."""
    async with world() as (_, fake, _run):
        fake.transports[MAILBOX].address = "nobody"
        await fake.put(message(1))
        settle = (await fake.all_settled(1))[1]

    assert (settle.outcome, settle.scope) == (pb.OUTCOME_RETURNED, pb.OUTCOME_SCOPE_MAILBOX)


async def test_a_transport_that_is_not_told() -> None:
    """What the scheduler does not say for a reason of its own goes back, and the mailbox rests."""
    async with world() as (_, fake, _run):
        await fake.put(message(1, mailbox_id=99))
        settle = (await fake.all_settled(1))[1]

    assert (settle.outcome, settle.scope) == (pb.OUTCOME_RETURNED, pb.OUTCOME_SCOPE_MAILBOX)


async def test_variables_that_cannot_be_read() -> None:
    """A surprise costs the message an attempt, so that it cannot come back for ever."""
    async with world() as (_, fake, _run):
        await fake.put(message(1, variables="no json"))
        settle = (await fake.all_settled(1))[1]

    assert settle.outcome == pb.OUTCOME_RETRY


async def test_credentials_are_for_encrypted_connections() -> None:
    """A password is not sent in clear: the mailbox rests, and says why."""
    async with world(smtp_allow_plaintext=True) as (smtp, fake, _):
        fake.mailbox(smtp.port, username="u", password="p", host="127.0.0.1", security=mailbox_pb.SECURITY_STARTTLS)
        await fake.put(message(1, campaign_id=CAMPAIGN))
        settle = (await fake.all_settled(1))[1]

    assert (settle.outcome, settle.scope) == (pb.OUTCOME_RETURNED, pb.OUTCOME_SCOPE_MAILBOX)
    assert "AUTH" not in smtp.verbs
