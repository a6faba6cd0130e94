"""From claim to settle: against a scheduler made for tests, and a real conversation by SMTP."""

from __future__ import annotations

from maillane.scheduler.v1 import dispatch_service_pb2 as pb

from .fake_scheduler import FakeScheduler, messages, serving
from .running import running
from .scripted import scripted


async def test_what_is_claimed_is_sent_and_settled() -> None:
    """Twenty messages that are due arrive once each, and are settled as sent with the server's answer."""
    async with scripted() as smtp, serving(FakeScheduler()) as fake, running(fake.port, smtp.port):
        fake.mailbox(smtp.port)
        fake.campaign()
        await fake.put(*messages(20))
        settled = await fake.all_settled(20)

    assert {settle.outcome for settle in settled.values()} == {pb.OUTCOME_SENT}
    assert {settle.code for settle in settled.values()} == {250}
    assert len(smtp.messages) == 20
