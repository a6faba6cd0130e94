"""Row 20: canary secrets through the whole system, and through what goes wrong in it; then they are looked for."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import httpx
import psycopg
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from maillane.scheduler.v1 import identity_service_pb2 as identity_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb

from .canaries import Canaries
from .misbehaviour import Act, Rule, Stage
from .rig import Rig
from .scenario import Scenario, Trial
from .sink import LOOPBACK, Sink
from .watch import crashes

GOOD: Final = "good@sender.example"
WRONG: Final = "wrong@sender.example"
SENDS: Final = 200

KNOWS: Final[Mapping[str, frozenset[str]]] = {
    "service_key": frozenset({"scheduler", "ratelimit", "sender", "gateway"}),
    "secret_key": frozenset({"scheduler"}),
    "postgres_password": frozenset({"scheduler"}),
    "valkey_password": frozenset({"scheduler", "ratelimit"}),
}
"""The processes that must be told a secret of the deployment, and whose environment it may therefore stand in."""

KEPT: Final = frozenset({"secrets.json", "token", "valkey/valkey.conf"})
"""Where a local run keeps the secrets of its deployment, readable by their owner only."""


class _Heard:
    """What the API answered, all of it."""

    def __init__(self, rig: Rig, token: str) -> None:
        headers = {"authorization": f"Bearer {token}"}
        self.answers: list[tuple[str, bytes]] = []
        self.http = httpx.AsyncClient(base_url=rig.system.urls["gateway"], headers=headers, trust_env=False, timeout=30)

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Makes a call, whatever its answer is."""
        answer = await self.http.request(method, path, **request)
        text = f"{answer.status_code} {dict(answer.headers)}".encode() + answer.content
        self.answers.append((f"the answer to {method} {path.partition('?')[0]}", text))
        return answer


async def look_for_secrets(trial: Trial) -> None:
    """Sends with them, errs with them, crashes with them."""
    password, wrong = (f"canary{secrets.token_hex(12)}" for _ in range(2))
    sink = Sink(trial.seed)
    # A server that repeats what it was told, as it is and as it was sent.
    sent = base64.b64encode(f"\0{WRONG}\0{wrong}".encode()).decode()
    sink.misbehaviour.add(Rule(Stage.AUTH, Act(reply=f"535 5.7.8 not {wrong} (AUTH PLAIN {sent})"), sender=WRONG))
    async with trial.rig(sink) as rig:
        made = await rig.client.identity.CreateToken(
            identity_pb.CreateTokenRequest(name="canary", role=identity_pb.ROLE_ADMIN)
        )
        heard = _Heard(rig, made.secret)
        key = _private_key()
        tenant = Canaries(
            {"password": password, "wrong password": wrong, "token": made.secret, "private key": key.splitlines()[2]}
        )
        deployment = Canaries({**asdict(rig.system.secrets), "first token": rig.system.token})
        await _send(rig, password, wrong, key)
        await _verify(rig, heard, wrong)
        await _err(rig, heard, password, made.secret)
        await _err_with_key(heard, key)
        await _break(rig, heard, password)
        await _read_all(heard)
        await heard.http.aclose()
        found = tenant.search(heard.answers) + deployment.search(heard.answers)
        for places in (tenant.in_tables, tenant.in_redis, tenant.in_metrics):
            found += await places(rig.system)
        for places in (deployment.in_tables, deployment.in_redis, deployment.in_metrics):
            found += await places(rig.system)
        found += tenant.in_files(rig.system) + tenant.in_processes(rig.system)
        kept, told = deployment.in_files(rig.system), deployment.in_processes(rig.system)
        found += [each for each in kept if each.partition(" in ")[2] not in KEPT]
        found += [each for each in told if not _may_know(each)]
        logged = sum(crashes(rig.system).values())
    trial.measure(answers=len(heard.answers), logged_errors=logged, found=len(found))
    trial.must(f"found nowhere in the clear: {found[:8]}", not found)
    trial.must(f"the search finds what is there: {kept} {told}", len(kept) >= len(KNOWS) and len(told) >= len(KNOWS))
    trial.must("there was an error of ours to tell of", logged > 0)


async def _send(rig: Rig, password: str, wrong: str, key: str) -> None:
    """Mail leaves under one password, signed, and is refused under another; two processes that hold them are killed."""
    dkim = mailbox_pb.Dkim(domain=GOOD.partition("@")[2], selector="canary", private_key=key)
    good = await rig.mailbox(GOOD, password=password, dkim=dkim)
    refused = await rig.mailbox(WRONG, password=wrong)
    await rig.campaign([good, refused], SENDS, delay_s=0.02)
    await rig.sent(SENDS // 10)
    for part in ("sender", "scheduler"):
        await rig.system.kill(part)
        await rig.system.restart(part)
    await rig.sent(SENDS // 3)


def _private_key() -> str:
    key = generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def _err_with_key(heard: _Heard, key: str) -> None:
    """Mailboxes that are refused over how they sign."""
    smtp = {"host": LOOPBACK, "port": 2525, "security": "SECURITY_NONE"}
    good = {"domain": "sender.example", "selector": "s1", "privateKey": key}
    for changes in (
        {"domain": "other.example"}, {"selector": "!"}, {"selector": [key]}, {"privateKey": key[:-40]},
        {"privateKey": [key]}, {"privateKey": key * 10}, {"domain": key}, {"privatekey": key},
    ):  # fmt: skip
        body = {"address": "x@sender.example", "smtp": smtp, "dkim": good | changes}
        await heard.call("POST", "/v1/mailboxes", json=body)
    await heard.call("PATCH", "/v1/mailboxes/999", json={"dkim": good})


async def _verify(rig: Rig, heard: _Heard, wrong: str) -> None:
    """A sender is asked whether that password is good."""
    smtp = {"host": LOOPBACK, "port": rig.sink.port, "security": "SECURITY_NONE", "username": WRONG, "password": wrong}
    answer = await heard.call("POST", "/v1/mailboxes:verify", json=smtp)
    assert answer.status_code == 200, answer.text


async def _err(rig: Rig, heard: _Heard, password: str, token: str) -> None:
    """Requests that are refused, each with a secret somewhere in it."""
    smtp = {"host": LOOPBACK, "port": rig.sink.port, "security": "SECURITY_NONE", "username": "u", "password": password}
    for changes in (
        {"password": password * 50}, {"password": password + "\n"}, {"password": [password]}, {"port": password},
        {"security": password}, {"host": password + "!"}, {"username": password + "\0"},
    ):  # fmt: skip
        await heard.call("POST", "/v1/mailboxes", json={"address": "x@sender.example", "smtp": smtp | changes})
    await heard.call("POST", f"/v1/mailboxes?smtp.password={password}", json={"address": GOOD, "smtp": smtp})
    await heard.call("POST", "/v1/mailboxes", content=f'{{"smtp":{{"password":"{password}"'.encode())
    await heard.call("PATCH", "/v1/mailboxes/999", json={"smtp": smtp})
    await heard.call("GET", f"/v1/campaigns?pageToken={token}")
    for credential in (f"Bearer {token}x", f"Basic {token}", f"Service {token}", token, f"Bearer {token} {token}"):
        await heard.call("GET", "/v1/identity", headers={"authorization": credential})


async def _break(rig: Rig, heard: _Heard, password: str) -> None:
    """Statements that fail, with a secret among what is done: a missing column, and a password that does not open."""
    smtp = {"host": LOOPBACK, "port": rig.sink.port, "security": "SECURITY_NONE", "username": "u", "password": password}
    async with await psycopg.AsyncConnection.connect(rig.system.postgres_url, autocommit=True) as connection:
        await connection.execute("ALTER TABLE mailboxes RENAME COLUMN display_name TO elsewhere")
        await heard.call("POST", "/v1/mailboxes", json={"address": "y@sender.example", "smtp": smtp})
        await connection.execute("ALTER TABLE mailboxes RENAME COLUMN elsewhere TO display_name")
        await connection.execute("UPDATE mailboxes SET password = set_byte(password, 20, 0), revision = revision + 1")
    mailbox = await rig.mailbox("z@sender.example", password=password)
    await rig.campaign([mailbox], 5)
    await rig.sent(rig.sink.accepted + 5)


async def _read_all(heard: _Heard) -> None:
    """Everything that the API shows, page by page as it comes."""
    for path in ("/v1/mailboxes", "/v1/campaigns", "/v1/messages", "/v1/tokens", "/v1/identity", "/v1/suppressions"):
        await heard.call("GET", path)
    for mailbox in (await heard.call("GET", "/v1/mailboxes")).json()["mailboxes"]:
        await heard.call("GET", f"/v1/mailboxes/{mailbox['id']}")
    for message in (await heard.call("GET", "/v1/messages")).json()["messages"][:20]:
        await heard.call("GET", f"/v1/messages/{message['id']}")


def _may_know(finding: str) -> bool:
    """Whether a process was told what it must be told, in its environment (never in its arguments)."""
    name, _, place = finding.partition(" in ")
    part, _, what = place.partition("'s ")
    return what == "environ" and part in KNOWS.get(name, ())


SCENARIOS = [
    Scenario(20, "secrets", "found nowhere in the clear", SENDS, 300, look_for_secrets, patient=True),
]
