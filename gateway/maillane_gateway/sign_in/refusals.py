"""Why a sign-in came to nothing, in the words that the sign-in page knows."""

from typing import Literal, TypeAlias

Reason: TypeAlias = Literal[
    "expired",  # it took too long, or its code was used already
    "forged",  # it is not the one that this browser began, or what came is not for us
    "not_a_member",
    "domain",  # the address is of none that is allowed
    "unverified",  # the provider does not say that the address is the person's
    "provider_down",
    "limited",  # too many tries
    "refused",  # the provider or the person said no
    "unavailable",  # we are: the scheduler does not answer
]


class Refused(Exception):
    """A sign-in that came to nothing. `wait_s`: of "limited", when to come back."""

    def __init__(self, reason: Reason, wait_s: int = 0) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.wait_s = wait_s
