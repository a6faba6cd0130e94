"""One gRPC server with all that each of them has, and the life of the process around it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import grpc
import uvloop
from grpc_channelz.v1 import channelz
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from maillane_chassis import credentials
from maillane_chassis.access import AccessInterceptor, Authenticate, access_table
from maillane_chassis.decoding import DecodingInterceptor
from maillane_chassis.health import Health
from maillane_chassis.interceptors import (
    DEFAULT_DEADLINE_S,
    DeadlineInterceptor,
    ErrorInterceptor,
    LogInterceptor,
    MetricsInterceptor,
    PatienceInterceptor,
    Probe,
    Translate,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from google.protobuf.descriptor import ServiceDescriptor

    from maillane_chassis.settings import ServiceSettings

Servicer = TypeVar("Servicer")

# Far above what the services' pools can work on at once, far below what would exhaust the memory; beyond it gRPC
# answers RESOURCE_EXHAUSTED by itself.
MAX_CONCURRENT_RPCS = 1000
# A peer that vanished without a word is noticed after a ping (30 s) and its time-out (10 s).
KEEPALIVE_MS = 30_000
KEEPALIVE_TIMEOUT_MS = 10_000
# Clients may ping as often as this; more often, and they are disconnected.
MIN_PING_INTERVAL_MS = 10_000
# Statuses and tokens fit with room; both sides of this deployment allow it.
MAX_METADATA_BYTES = 32 * 1024
CHANNELZ_SERVICE = "grpc.channelz.v1.Channelz"


class ListenError(OSError):
    """The server cannot listen where it was told to: the port is in use, or the host is none of this machine."""


@dataclass(frozen=True, slots=True)
class Registration(Generic[Servicer]):
    """One service: its descriptor, the generated `add_…Servicer_to_server`, and what serves it."""

    descriptor: ServiceDescriptor
    add: Callable[[Servicer, grpc.aio.Server], None]
    servicer: Servicer


class Server:
    """A gRPC server with health, reflection, channelz, access, errors, logs, metrics, deadlines and limits.

    Args:
        settings: host, credential of services, TLS, message size.
        port: 0 lets the system choose one, which `port` then tells.
        services: what it serves.
        authenticate: resolves a workspace's token; None refuses them all.
        translate: makes Failures of the libraries' exceptions that this service knows.
        max_concurrent: rpcs at once; more are answered RESOURCE_EXHAUSTED.
        deadline_s: for unary calls without a deadline of their own.
        deadlines_s: the same by method (`/package.Service/Method`).
        probe: asked what does not answer, when a call takes long; such a call is then answered at once.
        patient: methods that wait by design, and are not looked at.
        quiet: methods that are logged at debug while they end well: long polls and other chatter.
        reuse_port: lets several processes share the port (the kernel then spreads connections over them).
    """

    def __init__(
        self,
        settings: ServiceSettings,
        port: int,
        services: Sequence[Registration[Any]],
        *,
        authenticate: Authenticate | None = None,
        translate: Translate | None = None,
        max_concurrent: int = MAX_CONCURRENT_RPCS,
        deadline_s: float = DEFAULT_DEADLINE_S,
        deadlines_s: Mapping[str, float] | None = None,
        probe: Probe | None = None,
        patient: Collection[str] = (),
        quiet: Collection[str] = (),
        reuse_port: bool = False,
    ) -> None:
        self._settings = settings
        self._port = port
        names = [service.descriptor.full_name for service in services]
        self._health = Health(names)
        access = AccessInterceptor(
            authenticate,
            settings.service_key.get_secret_value(),
            access_table(*(service.descriptor for service in services)),
        )
        self._server = grpc.aio.server(
            # Outermost first. Errors stand within the log and the metrics, which see the final code; access stands
            # within the errors, which make its refusals statuses, and within the deadline; who may not call learns
            # nothing of what is wrong with the request.
            interceptors=[
                MetricsInterceptor(),
                LogInterceptor(quiet),
                ErrorInterceptor(translate),
                DeadlineInterceptor(deadline_s, deadlines_s),
                *([] if probe is None else [PatienceInterceptor(probe, patient)]),
                access,
                DecodingInterceptor(),
            ],
            options=_options(settings.max_message_bytes, reuse_port=reuse_port),
            maximum_concurrent_rpcs=max_concurrent,
        )
        for service in services:
            service.add(service.servicer, self._server)
        self._add_operating_services(names)

    def _add_operating_services(self, names: Sequence[str]) -> None:
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        channelz.add_channelz_servicer(self._server)
        health = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
        reflection.enable_server_reflection((*names, health, CHANNELZ_SERVICE, reflection.SERVICE_NAME), self._server)

    async def start(self) -> None:
        """Begins to serve. Health says "not serving" until `set_serving(True)`: the caller knows what else it needs.

        Raises:
            ListenError: the port is in use, or the host is not one of this machine.
        """
        address = _address(self._settings.host, self._port)
        try:
            if self._settings.tls:
                self._port = self._server.add_secure_port(address, credentials.for_server(self._settings))
            else:
                self._port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            # One that is never stopped complains when it is collected.
            await self._server.stop(0)
            raise ListenError(f"cannot listen on {address}: in use, or not an address of this machine") from error
        await self._server.start()

    @property
    def port(self) -> int:
        """The port that it listens on, once it was started."""
        return self._port

    def set_serving(self, serving: bool) -> None:
        """Tells health, per service and for the whole."""
        self._health.set_serving(serving)

    async def stop(self, grace_s: float) -> None:
        """Takes no new calls, gives those that are open this long, and cancels the rest.

        Health watches end at once. Other long calls (long polls, watches) should be ended by their service first.
        """
        self._health.end()
        await self._server.stop(grace_s)


def run(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Runs a service until it returns. SIGTERM or SIGINT sets the event; a second signal ends the process at once.

    A ListenError is one line on stderr and exit code 1.
    """
    try:
        uvloop.run(_with_signals(main))
    except ListenError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


async def _with_signals(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()

    def on_signal(number: int) -> None:
        if stop.is_set():
            # What a shell reports for a process that the signal ended. Nothing is waited for: that is what was asked.
            os._exit(128 + number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    await main(stop)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _options(max_message_bytes: int, *, reuse_port: bool) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_INTERVAL_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.enable_channelz", 1),
        # Without it two processes that were given one port by mistake would each get half of the calls.
        ("grpc.so_reuseport", int(reuse_port)),
    ]
