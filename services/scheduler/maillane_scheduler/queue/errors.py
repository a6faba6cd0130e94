"""What the queue raises when it cannot be used as it is. Everything else that goes wrong is redis-py's own error."""

from redis.exceptions import ResponseError


class QueueUnavailable(Exception):
    """Nothing was read or changed: the keys of this generation are not there to be served."""


class QueueLost(QueueUnavailable):
    """There is no sentinel: the store was wiped, or never filled. A rebuild must begin a new generation."""


class StaleGeneration(QueueUnavailable):
    """The sentinel names another generation than the one in use: call `Queue.use` with it and repeat.

    Attributes:
        current: the generation that the sentinel names.
    """

    def __init__(self, current: int) -> None:
        super().__init__(f"the queue is at generation {current}")
        self.current = current


class LaneUnknown(Exception):
    """Nothing was added: this generation has not been told what holds the lane (its gap, its gate's cap and gap)."""


def unavailable(error: ResponseError) -> QueueUnavailable | None:
    """The typed form of a script's refusal, or None where the error is something else.

    The codes are those that `lua/touch.lua` replies with.
    """
    code, _, rest = str(error).partition(" ")
    if code == "QUEUELOST":
        return QueueLost("the queue has no sentinel")
    if code == "STALEGENERATION":
        return StaleGeneration(int(rest))
    return None
