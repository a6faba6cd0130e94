"""A sender that sends nothing: what the dispatch path does alone."""

import secrets
import time
from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration
from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane.scheduler.v1.dispatch_service_pb2_grpc import DispatchServiceStub


class PlayedSender:
    """Claims and settles at once, as fast as it is answered; sends nothing."""

    def __init__(self, stub: DispatchServiceStub) -> None:
        self._stub = stub
        self._name, self._incarnation = "bench", secrets.token_hex(6)
        self.handed_out: list[tuple[float, int]] = []

    async def claim(self, slots: int, wait_s: float, settles: Iterable[pb.Settle] = ()) -> pb.ClaimMessagesResponse:
        """One claim."""
        wait = Duration()
        wait.FromMilliseconds(int(wait_s * 1000))
        request = pb.ClaimMessagesRequest(
            sender_id=self._name,
            incarnation=self._incarnation,
            claim_id=secrets.randbits(62) + 1,
            slots=slots,
            wait=wait,
            settles=settles,
        )
        answer = await self._stub.ClaimMessages(request, timeout=wait_s + 10)
        now = time.time()
        self.handed_out += [(now, message.message_id) for message in answer.messages]
        return answer

    async def work(self, slots: int, until: int, wait_s: float = 1.0) -> None:
        """Claims and settles until so many were handed out to all that work at once."""
        settles: list[pb.Settle] = []
        while len(self.handed_out) < until:
            settles = _all_sent(await self.claim(slots, wait_s, settles))
        if settles:
            await self._settle(settles)

    async def settle(self, answer: pb.ClaimMessagesResponse) -> None:
        """Says that all of a claim was sent."""
        await self._settle(_all_sent(answer))

    async def _settle(self, settles: list[pb.Settle]) -> None:
        await self._stub.SettleMessages(
            pb.SettleMessagesRequest(sender_id=self._name, incarnation=self._incarnation, settles=settles)
        )


def _all_sent(answer: pb.ClaimMessagesResponse) -> list[pb.Settle]:
    return [
        pb.Settle(message_id=one.message_id, token=answer.token, outcome=pb.OUTCOME_SENT, code=250, reply="ok")
        for one in answer.messages
    ]
