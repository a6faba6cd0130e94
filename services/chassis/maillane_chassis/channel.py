"""Channels to other services: credential, TLS, balancing, retries, deadlines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import grpc

from maillane_chassis import credentials, forwarding
from maillane_chassis.server import KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS, MAX_METADATA_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from maillane_chassis.settings import ServiceSettings

_Metadata: TypeAlias = "Iterable[tuple[str, str | bytes]]"

# For a unary call whose caller says nothing else: above what any of them takes in good health, soon enough to act.
DEFAULT_TIMEOUT_S = 10.0
# A service that restarts is back within a second or two and wanted at once; gRPC's own back-off goes up to 2 minutes.
MIN_RECONNECT_MS = 100
MAX_RECONNECT_MS = 2000
# For TCP, TLS and the first words of HTTP/2; gRPC calls it `min_reconnect_backoff`, and no try lasts longer. For who is
# far away or has a lot to do: who is there and refuses does so at once, and the dead cost no more than a back-off.
CONNECT_MS = MAX_RECONNECT_MS
# At most five tries, which with these back-offs span about two seconds: a restart, not an outage.
_RETRY = {
    "maxAttempts": 5,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
# Half of the calls failing stops retries, so that they do not hold down a server that is coming back.
_RETRY_THROTTLING = {"maxTokens": 100, "tokenRatio": 0.5}


def open_channel(
    target: str,
    settings: ServiceSettings,
    *,
    service: bool = True,
    idempotent: Iterable[str] = (),
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> grpc.aio.Channel:
    """Opens a channel; it connects by itself, and again whenever it must. Close it, or use it as a context manager.

    Args:
        target: `host:port`, or any name that gRPC resolves; calls go round over all addresses of a name.
        settings: credential of services, TLS, message size.
        service: sends the credential of services with each call that brings no `authorization` of its own.
        idempotent: methods (`/package.Service/Method`) that may be repeated, and are while the answer is UNAVAILABLE.
        timeout_s: the deadline of unary calls that bring none. Streams have the one that their caller gives, or none.
    """
    options = _options(settings.max_message_bytes, idempotent)
    if settings.tls:
        inner = grpc.aio.secure_channel(target, credentials.for_channel(settings), options=options)
    else:
        inner = grpc.aio.insecure_channel(target, options=options)
    key = settings.service_key.get_secret_value()
    return _Channel(inner, key, timeout_s, service=service)


class _Channel(grpc.aio.Channel):
    """A channel whose calls have a credential and a deadline, and a voucher where they tell an origin.

    Not by interceptors of grpc.aio: they start a task for each call, and each of the four kinds needs one of its own.
    """

    def __init__(self, inner: grpc.aio.Channel, key: str, timeout_s: float, *, service: bool) -> None:
        self._inner = inner
        self._authorization = f"Service {key}" if service else None
        self._key = key
        self._timeout_s = timeout_s

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._completed(self._inner.unary_unary(method, *args, **kwargs), self._timeout_s)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._completed(self._inner.unary_stream(method, *args, **kwargs), None)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._completed(self._inner.stream_unary(method, *args, **kwargs), None)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._completed(self._inner.stream_stream(method, *args, **kwargs), None)

    def _completed(self, call: Any, default_timeout_s: float | None) -> Any:
        def start(
            request: Any = None, *, timeout: float | None = None, metadata: _Metadata | None = None, **kwargs: Any
        ) -> Any:
            timeout = timeout if timeout is not None else default_timeout_s
            return call(request, timeout=timeout, metadata=self._authorized(metadata), **kwargs)

        return start

    def _authorized(self, metadata: _Metadata | None) -> tuple[tuple[str, str | bytes], ...]:
        given = tuple(metadata or ())
        if any(key == forwarding.ORIGIN for key, _ in given):
            given = (*given, (forwarding.VOUCHER, self._key))
        if self._authorization is None or any(key == "authorization" for key, _ in given):
            return given
        return (*given, ("authorization", self._authorization))

    async def close(self, grace: float | None = None) -> None:
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._inner.channel_ready()

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool | None:
        return await self._inner.__aexit__(exc_type, exc_val, exc_tb)


def _options(max_message_bytes: int, idempotent: Iterable[str]) -> list[tuple[str, int | str]]:
    return [
        ("grpc.service_config", json.dumps(_service_config(idempotent))),
        ("grpc.enable_retries", 1),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", MIN_RECONNECT_MS),
        ("grpc.min_reconnect_backoff_ms", CONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
        ("grpc.enable_channelz", 1),
    ]


def _service_config(idempotent: Iterable[str]) -> dict[str, Any]:
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}], "retryThrottling": _RETRY_THROTTLING}
    names = [path.lstrip("/").partition("/") for path in idempotent]
    if names:
        methods = [{"service": service, "method": method} for service, _, method in names]
        config["methodConfig"] = [{"name": methods, "retryPolicy": _RETRY}]
    return config
