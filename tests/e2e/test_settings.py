"""The system under settings that change what it is made of."""

import asyncio
from pathlib import Path

import pytest
import trustme
from maillane_local.settings import LocalSettings
from maillane_local.system import System
from pydantic import SecretStr
from redis.asyncio import Redis

from .conftest import Run
from .tenant import Tenant

pytestmark = pytest.mark.timeout(180)


async def test_services_speak_mutual_tls(run: Run, tmp_path: Path) -> None:
    """With a certificate, its key and the authority's, all calls between services are encrypted and mutual."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    files = {f"tls_{name}": tmp_path / f"{name}.pem" for name in ("cert", "key", "ca")}

    async with run(**files) as tenant:
        campaign = await tenant.campaign([await tenant.mailbox("m@example.com")], 10)
        counts = await tenant.ended(campaign, within_s=30)
        reader, writer = await asyncio.open_connection(*tenant.system.urls["scheduler"].split(":"))
        # HTTP/2's preface in the clear: a server that speaks TLS answers with an alert, or hangs up.
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        answer = await reader.read(64)
        writer.close()

    assert counts == {"total": 10, "sent": 10}
    assert not answer.startswith(b"\x00\x00")


async def test_stores_of_ones_own_replace_the_embedded_ones(tmp_path: Path, database_url: str, redis_url: str) -> None:
    """By their URLs: the system starts none, and leaves its data in what it was given."""
    stores = {"postgres_url": SecretStr(database_url), "redis_url": SecretStr(redis_url)}
    settings = LocalSettings.on_free_ports(tmp_path / "data").model_copy(update=stores)

    async with System(tmp_path / "data", settings=settings) as system, Tenant(system) as tenant:
        campaign = await tenant.campaign([await tenant.mailbox("m@example.com")], 10)
        counts = await tenant.ended(campaign, within_s=30)
        started = set(system.pids)
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        keys = [str(key) for key in await redis.keys("*")]

    assert counts == {"total": 10, "sent": 10}
    assert not started & {"postgres", "valkey"}
    assert any(key.startswith("q:{0}:") for key in keys)
    assert any(key.startswith("ratelimit:{1}:") for key in keys)
