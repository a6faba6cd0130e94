"""A gRPC server that answers with what it was sent, and does nothing else: `echo.py PORT`."""

import asyncio
import sys
import time
from typing import Final

import grpc
import uvloop

METHOD: Final = "/maillane.bench.Echo/Echo"
LOOPBACK: Final = "127.0.0.1"


async def calls_per_s(port: int, in_flight: int, payload: bytes, for_s: float) -> tuple[float, float]:
    """Calls a second with so many in flight, and the median of how long one takes in ms."""
    took: list[float] = []
    async with grpc.aio.insecure_channel(f"{LOOPBACK}:{port}") as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        await call(payload)
        begun = time.perf_counter()

        async def work() -> None:
            while (now := time.perf_counter()) - begun < for_s:
                await call(payload)
                took.append(time.perf_counter() - now)

        await asyncio.gather(*(work() for _ in range(in_flight)))
        elapsed = time.perf_counter() - begun
    return len(took) / elapsed, 1000 * sorted(took)[len(took) // 2]


async def _answer(request: bytes, _context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    return request


async def _serve(port: int) -> None:
    server = grpc.aio.server()
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(_answer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("maillane.bench.Echo", {"Echo": handler}),))
    server.add_insecure_port(f"{LOOPBACK}:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
