"""Instants and spans as the protos have them."""

from datetime import datetime

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

_US = 1_000_000


def timestamp(instant: datetime | None) -> Timestamp | None:
    """An aware datetime; None stays unset."""
    if instant is None:
        return None
    made = Timestamp()
    made.FromDatetime(instant)
    return made


def timestamp_us(instant_us: int | None) -> Timestamp | None:
    """µs since the epoch; None stays unset."""
    if instant_us is None:
        return None
    seconds, rest = divmod(instant_us, _US)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def duration(span_us: int) -> Duration:
    """A span in µs."""
    seconds, rest = divmod(span_us, _US)
    return Duration(seconds=seconds, nanos=rest * 1000)
