import asyncio
import os
import re
import signal
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from maillane_local.valkey import Valkey
from support.valkey import StartValkey

LINE_S = 20


async def test_the_process_serves_while_its_redis_answers(start_valkey: StartValkey) -> None:
    """It tells its health by what Redis does, and ends by SIGTERM with exit code 0."""
    server = await start_valkey()
    process = await _start(server)
    try:
        port = int(await _logged(process, rb'"port": (\d+)'))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            # Its stubs know only Check.
            watch = health_pb2_grpc.HealthStub(channel).Watch(  # type: ignore[attr-defined]
                health_pb2.HealthCheckRequest()
            )
            states = watch.__aiter__()
            told = [await _next_state(states, "SERVING")]
            await server.stop()
            told.append(await _next_state(states, "NOT_SERVING"))
        process.send_signal(signal.SIGTERM)

        assert (told, await process.wait()) == (["SERVING", "NOT_SERVING"], 0)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _start(server: Valkey) -> asyncio.subprocess.Process:
    environment = os.environ | {
        "MAILLANE_SERVICE_KEY": "k" * 32,
        "MAILLANE_RATELIMIT_PORT": "0",
        "MAILLANE_REDIS_URL": server.url,
        "MAILLANE_LOG_FORMAT": "json",
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "maillane_ratelimit", env=environment, stdout=asyncio.subprocess.PIPE
    )


async def _logged(process: asyncio.subprocess.Process, pattern: bytes) -> bytes:
    assert process.stdout
    async with asyncio.timeout(LINE_S):
        async for line in process.stdout:
            if found := re.search(pattern, line):
                return found[1]
    raise AssertionError("the process ended")


async def _next_state(states: object, wanted: str) -> str:
    async with asyncio.timeout(LINE_S):
        async for state in states:  # type: ignore[attr-defined]
            name = health_pb2.HealthCheckResponse.ServingStatus.Name(state.status)
            if name == wanted:
                return str(name)
    raise AssertionError("the watch ended")
