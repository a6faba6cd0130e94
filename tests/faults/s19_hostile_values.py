"""Row 19: text that breaks out of where it is put, from the API to real mail servers."""

import asyncio
import random
import tempfile
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc
import psycopg
from maillane.client import Client, connect
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane_local.ports import LOOPBACK
from maillane_local.system import System

from . import hostile_text
from .as_taken import faults
from .real_servers import Taken, Taker, aiosmtpd, postfix_sink
from .scenario import Scenario, Trial
from .tap import Tap
from .watch import crashes

BATCH: Final = 100
"""Recipients of one campaign, which has a mailbox, a name, a subject and a body of its own, as hostile."""
AT_ONCE: Final = 4
TRIES: Final = 8
"""Hostile values that a field is offered before it gets a plain one."""
BATCH_S: Final = 300.0
LOOK_S: Final = 0.2

# By the number in `MessageState`.
_SENT: Final = 3
_OVER: Final = frozenset(
    {campaign_pb.CAMPAIGN_STATE_COMPLETED, campaign_pb.CAMPAIGN_STATE_CANCELLED, campaign_pb.CAMPAIGN_STATE_PAUSED}
)


@dataclass
class Asked:
    """What the system was asked for, and how much of it it refused. `messages` are its own rows, at the end."""

    senders: dict[int, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    messages: list[tuple[int, str, int]] = field(default_factory=list)


async def against_aiosmtpd(trial: Trial) -> None:
    """aiosmtpd, which takes SMTPUTF8."""
    async with aiosmtpd() as taker:
        asked = await _attack(trial, taker)
    _judge(trial, asked, taker.taken)


async def against_postfix(trial: Trial) -> None:
    """Postfix's sink, which has its own reading of line ends and dots."""
    with tempfile.TemporaryDirectory(prefix="maillane-sink-") as folder:
        async with postfix_sink(Path(folder)) as taker:
            asked = await _attack(trial, taker)
    _judge(trial, asked, taker.taken)


async def _attack(trial: Trial, taker: Taker) -> Asked:
    asked = Asked()
    async with (
        Tap(taker.port) as tap,
        System(trial.folder / "values", {"MAILLANE_SMTP_PORTS": str(tap.port)}) as system,
        connect(system.urls["scheduler"], system.token) as client,
    ):
        batches = iter(range(-(-trial.size // BATCH)))

        async def attack() -> None:
            for batch in batches:
                # Luck of its own: with several at once, what each of them gets must not depend on the others.
                chance = random.Random(f"{trial.seed} {batch}")
                await _Attacker(batch, chance, client, tap.port, asked).send()

        await asyncio.gather(*(attack() for _ in range(AT_ONCE)))
        asked.messages = await _messages(system)
        found = crashes(system)
    trial.measure(bare=tap.bare, strange_lines=len(tap.strange))
    trial.must(f"0 bare CR or LF on the wire: {tap.bare}", tap.bare == 0)
    trial.must(f"0 lines on the wire that are no command: {tap.strange[:3]}", not tap.strange)
    trial.must(f"no mistake of ours in the logs: {dict(found)}", not found)
    return asked


class _Attacker:
    """One campaign whose every value is hostile, where the API takes it."""

    def __init__(self, batch: int, chance: random.Random, client: Client, port: int, asked: Asked) -> None:
        self._batch = batch
        self._chance = chance
        self._client = client
        self._port = port
        self._asked = asked

    async def send(self) -> None:
        """Sends it, and waits for its end."""
        mailbox = await self._mailbox()
        self._asked.senders[self._batch] = mailbox.address
        campaign = await self._campaign(mailbox.id)
        rows = [self._row(number) for number in range(BATCH)]
        answer = await self._client.import_recipients(campaign, rows)
        self._asked.refused["recipient"] += answer.rejected_count
        await self._client.campaigns.StartCampaign(campaign_pb.StartCampaignRequest(campaign_id=campaign))
        request = campaign_pb.GetCampaignRequest(campaign_id=campaign)
        async with asyncio.timeout(BATCH_S):
            while (await self._client.campaigns.GetCampaign(request)).campaign.state not in _OVER:
                await asyncio.sleep(LOOK_S)

    async def _mailbox(self) -> mailbox_pb.Mailbox:
        smtp = mailbox_pb.Smtp(host=LOOPBACK, port=self._port, security=mailbox_pb.SECURITY_NONE)
        for attempt in range(TRIES + 1):
            plain = attempt == TRIES
            box = mailbox_pb.Mailbox(
                address=self._sender() if attempt % 2 else f"m{self._batch}@s.example",
                display_name="" if plain else self._line(120),
                smtp=smtp,
                hourly_limit=100_000,
            )
            request = mailbox_pb.CreateMailboxRequest(mailbox=box)
            try:
                return (await self._client.mailboxes.CreateMailbox(request)).mailbox
            except grpc.aio.AioRpcError as error:
                self._note("mailbox", error)
        raise AssertionError("a plain mailbox is refused")

    async def _campaign(self, mailbox: str) -> str:
        for attempt in range(TRIES + 1):
            plain = attempt == TRIES
            template = campaign_pb.Template(
                subject="{{name}}" if plain else self._line(100) + "{{name}}",
                text=("" if plain else self._text(400)) + f"\n{{{{note}}}}\n.\nmark {{{{n}}}} of {self._batch}",
                html="<p>{{name}}</p>{{note}}",
            )
            campaign = campaign_pb.Campaign(
                name="plain" if plain else self._line(100) or "-", mailbox_ids=[mailbox], template=template
            )
            request = campaign_pb.CreateCampaignRequest(campaign=campaign)
            try:
                return (await self._client.campaigns.CreateCampaign(request)).campaign.id
            except grpc.aio.AioRpcError as error:
                self._note("campaign", error)
        raise AssertionError("a plain campaign is refused")

    def _row(self, number: int) -> dict[str, str]:
        plain = f"r{number}@c{self._batch}.example"
        email = self._address(f"r{number}") if self._chance.random() < 0.2 else plain
        name = self._line(100)
        # None is empty: a campaign does not start where a recipient lacks what its template needs.
        return {"email": email, "name": name or "-", "note": self._text(1_000) or "-", "n": str(number)}

    def _sender(self) -> str:
        """Only ASCII: a sender of other characters would make every message need SMTPUTF8."""
        return self._address(f"m{self._batch}").encode("ascii", "ignore").decode()

    def _address(self, local: str) -> str:
        text = self._text(60)
        return self._chance.choice(
            (
                text, f"{local}{text}@x.example", f"{text}{local}@x.example", f"{local}@{text}.example",
                f"{local}@x.example{text}", f'"{text}"@x.example', f"{text} <{local}@x.example>",
                f"{local}@x.example, {text}@y.example", f"{local}@[127.0.0.1]", f"@y.example:{local}@x.example",
                # These are addresses.
                f"{local}+tag@x.example", f"{local}'o@x.example", f"{local}{{x}}=?@x.example",
                f"zoë{local}@x.example", f"{local}@bücher.example",
            )
        )  # fmt: skip

    def _line(self, most: int) -> str:
        """Half of them have what no header takes; the other half are hostile without it."""
        text = self._text(most)
        if self._chance.random() < 0.5:
            return text
        return "".join(character for character in text if unicodedata.category(character) != "Cc") or "-"

    def _text(self, most: int) -> str:
        return hostile_text.text(self._chance)[:most]

    def _note(self, what: str, error: grpc.aio.AioRpcError) -> None:
        if error.code() is not grpc.StatusCode.INVALID_ARGUMENT and error.code() is not grpc.StatusCode.ALREADY_EXISTS:
            raise error
        self._asked.refused[what] += 1


async def _messages(system: System) -> list[tuple[int, str, int]]:
    """Of each message its campaign, its recipient and its state."""
    async with await psycopg.AsyncConnection.connect(system.postgres_url) as connection:
        found = await connection.execute("SELECT campaign_id, email, state FROM messages")
        return [(row[0], row[1], row[2]) for row in await found.fetchall()]


def _judge(trial: Trial, asked: Asked, taken: list[Taken]) -> None:
    """Each message that was sent was taken once, as one message to one recipient with the headers that it has."""
    states = Counter(state for _, _, state in asked.messages)
    wrong: Counter[str] = Counter()
    examples: list[str] = []
    recipients: Counter[str] = Counter()
    for each in taken:
        found = faults(each, asked.senders)
        wrong.update(found)
        examples += [f"{found}: {each.content[:300]!r}"] if found and len(examples) < 3 else []
        recipients[" ".join(each.recipients)] += 1
    addresses = Counter(email for _, email, state in asked.messages if state == _SENT)
    trial.measure(
        messages=len(asked.messages), sent=states[_SENT], taken=len(taken), refused_rows=asked.refused["recipient"],
        refused_mailboxes=asked.refused["mailbox"], refused_campaigns=asked.refused["campaign"],
    )  # fmt: skip
    trial.must(f"each message as it should be: {dict(wrong)} {examples}", not wrong)
    trial.must(
        f"taken is what was sent, to whom it was sent: {(recipients - addresses).most_common(3)} more, "
        f"{(addresses - recipients).most_common(3)} fewer",
        recipients == addresses,
    )
    trial.must("most of it was sent", states[_SENT] > len(asked.messages) // 4)


MUST = "0 extra headers, recipients or messages; 0 bare CR or LF"
SCENARIOS = [
    Scenario(19, "hostile values to aiosmtpd", MUST, 25_000, 900, against_aiosmtpd, takes_s=300, patient=True),
    Scenario(19, "hostile values to Postfix's sink", MUST, 25_000, 900, against_postfix, takes_s=300, patient=True),
]
