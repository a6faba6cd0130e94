"""What senders ask for and report, in the scheduler's own words."""

from dataclasses import dataclass, field

from maillane_scheduler.states import MessageState


@dataclass(frozen=True, slots=True)
class Ask:
    """A sender's call for messages. `wait_s` counts from when the call came in."""

    sender_id: str
    incarnation: str
    claim_id: int
    slots: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class Finished:
    """A message that needs no more sending: SENT, FAILED or UNCONFIRMED, under the token of its claim.

    Attributes:
        suppress: the address is dead, and the workspace does not write to it again.
        of_campaign: FAILED because of what the campaign sends, not because of whom to.
    """

    message: int
    token: int
    state: MessageState
    code: int
    reply: str
    suppress: bool = False
    of_campaign: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """A message that was not sent.

    Attributes:
        spent: the server refused it for now, so that an attempt and a permit are spent and the next try waits;
            else nothing was sent and nothing refused: it goes back as it was.
        permit_spent: though no attempt is spent, the permit is: the server saw its content or refused its recipient,
            and counts that.
        wait_s: how long it waits all the same, where it is not spent: what broke its connection once may do so again.
    """

    message: int
    token: int
    spent: bool
    code: int
    reply: str
    wait_s: float = 0.0
    permit_spent: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Outcomes as a sender gave them, sorted by what they ask for.

    Attributes:
        strained: messages and tokens whose outcome was about the mailbox or its server, with what was said.
        crowded: those of them whose connection was one too many.
    """

    finished: list[Finished]
    released: list[Release]
    strained: dict[tuple[int, int], str]
    crowded: set[tuple[int, int]] = field(default_factory=set)
