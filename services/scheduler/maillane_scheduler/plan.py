"""When messages are due: a lane's base, plus their ordinal * the campaign's delay. All times are µs since the epoch."""

# The last instant that scores of the delay queue hold exactly, in the year 2255. What is planned for later is due then.
MAX_DUE_US = 2**53 - 1


def due_us(base_us: int, ordinal: int, delay_us: int, retry_us: int | None = None) -> int:
    """When a message may leave: at its place in the plan, or at its retry's own time where that is later."""
    planned = min(base_us + ordinal * delay_us, MAX_DUE_US)
    return planned if retry_us is None else max(planned, retry_us)


def rebased_us(base_us: int, first_waiting: int, old_delay_us: int, new_delay_us: int) -> int:
    """The base of a lane whose delay changes: what waits keeps its order, and goes on from where it is at the new pace.

    `first_waiting` is the ordinal of the first message that has not been tried; it keeps its due time:
    base' + k * new = base + k * old.
    """
    return base_us + first_waiting * (old_delay_us - new_delay_us)
