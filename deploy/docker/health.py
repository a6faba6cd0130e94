"""Exits 0 if the service in this container is ready, else 1 with one line why: `health.py scheduler`.

For engines without a probe of their own for gRPC, and for deployments with TLS, which the probes that there are do not
speak: with MAILLANE_TLS_* set it shows the service's own certificate, which must then also be good for "localhost".
"""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2

PORTS = {"scheduler": 50051, "ratelimit": 50052, "sender": 50053, "gateway": 8080}
ANSWER_S = 3.0
"""Below the time-out of whoever runs this, so that it is this that says what is wrong."""


def main(service: str) -> str | None:
    """What is wrong; None where nothing is."""
    port = int(os.environ.get(f"MAILLANE_{service.upper()}_PORT", PORTS[service]))
    return _over_http(port) if service == "gateway" else _over_grpc(port)


def _over_http(port: int) -> str | None:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/readyz", timeout=ANSWER_S):
            return None
    except (urllib.error.URLError, OSError) as error:
        return f"/readyz: {error}"


def _over_grpc(port: int) -> str | None:
    with _channel(f"localhost:{port}") as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(), timeout=ANSWER_S)
        except grpc.RpcError as error:
            return f"health: {error.code().name}"
    state = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    return None if answer.status == health_pb2.HealthCheckResponse.SERVING else f"health: {state}"


def _channel(target: str) -> grpc.Channel:
    files = [os.environ.get(f"MAILLANE_TLS_{name}") for name in ("CA", "KEY", "CERT")]
    if not all(files):
        return grpc.insecure_channel(target)
    ca, key, certificate = (Path(file).read_bytes() for file in files if file)
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(ca, key, certificate))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
