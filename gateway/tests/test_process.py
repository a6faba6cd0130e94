"""The process, as it is started and stopped."""

import asyncio
import os
import signal
import sys

import httpx
import pytest

from .conftest import KEY

START = (sys.executable, "-m", "maillane_gateway")


async def started(**env: str) -> asyncio.subprocess.Process:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAILLANE_")}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*START, env=clean | env, stdout=pipe, stderr=pipe)


async def test_it_serves_until_it_is_told_to_stop(unused_tcp_port):
    """On SIGTERM it ends by itself, with 0."""
    process = await started(
        MAILLANE_SERVICE_KEY=KEY, MAILLANE_GATEWAY_PORT=str(unused_tcp_port), MAILLANE_LOG_FORMAT="json"
    )
    assert process.stdout is not None
    line = await process.stdout.readline()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}") as client:
        alive = await client.get("/healthz")
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 10)

    assert b'"event": "gateway_started"' in line
    assert (alive.status_code, process.returncode) == (200, 0)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, "MAILLANE_SERVICE_KEY is required"),
        ({"MAILLANE_SERVICE_KEY": KEY, "MAILLANE_GATEWAY_PORT": "many"}, "MAILLANE_GATEWAY_PORT: "),
    ],
)
async def test_bad_settings_are_one_line(env, words):
    """And exit code 2."""
    process = await started(**env)
    _, errors = await process.communicate()

    assert process.returncode == 2
    assert words in errors.decode()
    assert errors.count(b"\n") == 1
