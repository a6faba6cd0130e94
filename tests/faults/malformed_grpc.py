"""gRPC calls that are wrong somewhere: bytes that are no message, messages with fields of any size, wrong methods and
metadata."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from maillane.ratelimit.v1 import rate_limit_service_pb2
from maillane.scheduler.v1 import (
    campaign_service_pb2,
    dispatch_service_pb2,
    identity_service_pb2,
    mailbox_service_pb2,
    message_service_pb2,
    suppression_service_pb2,
)
from maillane.sender.v1 import sender_service_pb2

from .random_message import Filler

PUBLIC: Final = (
    campaign_service_pb2,
    identity_service_pb2,
    mailbox_service_pb2,
    message_service_pb2,
    suppression_service_pb2,
)
INTERNAL: Final = (dispatch_service_pb2, rate_limit_service_pb2, sender_service_pb2)
SPARED: Final = frozenset({"RevokeToken", "StopWorkspace", "Drain", "Restore"})
"""What would, rightly, end what this is made with: token, workspace, the sender's work, the epoch of the counters."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the port's name, the path, the messages as bytes, and the metadata.

    `streams`: whether the server expects many messages. `stream_back`: whether it sends many.
    """

    part: str
    path: str
    messages: tuple[bytes, ...]
    metadata: tuple[tuple[str, str | bytes], ...]
    streams: bool
    stream_back: bool


class GrpcNoise:
    """Makes calls of the public services, or of the internal ones. `ids` are of things that exist."""

    def __init__(self, credential: str, ids: Sequence[str], chance: random.Random, *, public: bool) -> None:
        self._credential = credential
        self._chance = chance
        self._filler = Filler(ids, chance)
        self._methods = [
            method
            for file in (PUBLIC if public else INTERNAL)
            for service in file.DESCRIPTOR.services_by_name.values()
            for method in service.methods
            if method.name not in SPARED
        ]

    def call(self) -> Call:
        """Any one."""
        method = self._chance.choice(self._methods)
        streams, stream_back = method.client_streaming, method.server_streaming
        path = f"/{method.containing_service.full_name}/{method.name}"
        if self._chance.random() < 0.05:
            path = self._chance.choice(
                ("/", "/x", path + "x", path.lower(), "/maillane.scheduler.v1.Nothing/Get", path + "\x7f")
            )
        count = self._chance.choice((0, 1, 2, 3)) if streams or self._chance.random() < 0.02 else 1
        messages = tuple(self._bytes(method) for _ in range(count))
        # A unary call has one message: fewer, or more, are sent by a client that believes it to be a stream.
        return Call(
            part_of(method.containing_service), path, messages, self._metadata(), streams or count != 1, stream_back
        )

    def _metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        good = (("authorization", self._credential),)
        if self._chance.random() < 0.9:
            return good
        return self._chance.choice(
            (
                (),
                good * 2,
                (("authorization", ""),),
                (("authorization", "Bearer"),),
                (("authorization", "Bearer " + "x" * 5_000),),
                (("authorization", "Service " + "k" * 600),),
                (*good, ("x-request-id", "y" * 20_000)),
                (*good, *((f"x-{n}", "z") for n in range(300))),
                (*good, ("blob-bin", self._chance.randbytes(100))),
                (*good, ("x-request-id", "~")),
            )
        )

    def _bytes(self, method: MethodDescriptor) -> bytes:
        pick = self._chance.random()
        if pick < 0.15:
            return self._chance.randbytes(self._chance.choice((1, 2, 7, 60, 2_000)))
        message = message_factory.GetMessageClass(method.input_type)()
        self._filler.fill(message)
        raw = message.SerializeToString()
        if pick < 0.35 and raw:
            return self._bent(raw)
        if pick < 0.37:
            # Groups without an end, in a field that nobody knows.
            return b"\xfb\x7f" * 5_000
        return raw

    def _bent(self, raw: bytes) -> bytes:
        bent = bytearray(raw)
        for _ in range(self._chance.randint(1, 4)):
            at = self._chance.randrange(len(bent))
            bent[at : at + self._chance.choice((0, 1, 5))] = self._chance.randbytes(self._chance.choice((0, 1, 3)))
            if not bent:
                break
        return bytes(bent)


def part_of(service: ServiceDescriptor) -> str:
    """The process that serves it."""
    return str(service.file.package.split(".")[1])
