"""What the system consists of, and what each part is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from maillane_local.data_folder import Secrets
from maillane_local.health import grpc_health, http_ready, tcp_accepts
from maillane_local.ports import LOOPBACK
from maillane_local.service import Part, ambient

DRAIN_S: Final = 15.0
"""Services end within 10 s of being asked; half as much again for a machine that is busy."""

SECRETS_OF_SOME: Final = ("MAILLANE_POSTGRES_URL", "MAILLANE_REDIS_URL", "MAILLANE_SECRET_KEY")
"""Only who uses a store, or opens what is sealed, is told how: above all not the sender."""

START_ORDER: Final = ("ratelimit", "scheduler", "sender", "gateway", "catcher")
STOP_ORDER: Final = ("gateway", "sender", "scheduler", "ratelimit", "catcher", "valkey", "postgres")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens, on loopback."""

    gateway: int
    scheduler: int
    ratelimit: int
    sender: int
    catcher_smtp: int
    catcher_web: int
    scheduler_metrics: int
    ratelimit_metrics: int
    sender_metrics: int
    gateway_metrics: int


@dataclass(frozen=True, slots=True)
class Stores:
    """The URLs of Postgres and Redis."""

    postgres_url: str
    redis_url: str


def scheduler_env(stores: Stores, secrets: Secrets, ports: Ports, overrides: Mapping[str, str]) -> dict[str, str]:
    """What the scheduler is told, also when it migrates and makes the first workspace."""
    return {
        **_common_env(secrets),
        "MAILLANE_POSTGRES_URL": stores.postgres_url,
        "MAILLANE_REDIS_URL": stores.redis_url,
        "MAILLANE_SECRET_KEY": secrets.secret_key,
        "MAILLANE_SCHEDULER_PORT": str(ports.scheduler),
        "MAILLANE_METRICS_PORT": str(ports.scheduler_metrics),
        "MAILLANE_RATELIMIT_TARGET": f"{LOOPBACK}:{ports.ratelimit}",
        # For the links in messages that the catcher shows.
        "MAILLANE_PUBLIC_URL": f"http://{LOOPBACK}:{ports.gateway}",
        "MAILLANE_SIGN_UP": "true",
        "MAILLANE_CATCHER": f"{LOOPBACK}:{ports.catcher_smtp}",
        "MAILLANE_CATCHER_URL": f"http://{LOOPBACK}:{ports.catcher_web}",
        **_to_the_catcher(ports),
        **overrides,
    }


def parts(stores: Stores, secrets: Secrets, ports: Ports, overrides: Mapping[str, str]) -> dict[str, Part]:
    """All of our own processes, by name, in the order in which they start."""
    common = _common_env(secrets)
    credentials = _credentials({**common, **overrides})
    scheduler_target = f"{LOOPBACK}:{ports.scheduler}"
    return {
        "ratelimit": Part(
            name="ratelimit",
            module="maillane_ratelimit",
            env={
                **common,
                "MAILLANE_REDIS_URL": stores.redis_url,
                "MAILLANE_RATELIMIT_PORT": str(ports.ratelimit),
                "MAILLANE_METRICS_PORT": str(ports.ratelimit_metrics),
                **overrides,
            },
            port=ports.ratelimit,
            ready=grpc_health(ports.ratelimit, credentials),
            grace_s=DRAIN_S,
        ),
        "scheduler": Part(
            name="scheduler",
            module="maillane_scheduler",
            env=scheduler_env(stores, secrets, ports, overrides),
            port=ports.scheduler,
            ready=grpc_health(ports.scheduler, credentials),
            grace_s=DRAIN_S,
        ),
        "sender": Part(
            name="sender",
            module="maillane_sender",
            env={
                **common,
                "MAILLANE_SENDER_PORT": str(ports.sender),
                "MAILLANE_METRICS_PORT": str(ports.sender_metrics),
                "MAILLANE_SCHEDULER_TARGET": scheduler_target,
                **_to_the_catcher(ports),
                **overrides,
            },
            port=ports.sender,
            ready=grpc_health(ports.sender, credentials),
            grace_s=DRAIN_S,
        ),
        "gateway": Part(
            name="gateway",
            module="maillane_gateway",
            env={
                **common,
                "MAILLANE_GATEWAY_PORT": str(ports.gateway),
                "MAILLANE_METRICS_PORT": str(ports.gateway_metrics),
                "MAILLANE_SCHEDULER_TARGET": scheduler_target,
                "MAILLANE_SENDER_TARGET": f"{LOOPBACK}:{ports.sender}",
                # Who can reach it sits at this machine.
                "MAILLANE_LOCAL_SIGN_IN": "true",
                **overrides,
            },
            port=ports.gateway,
            ready=http_ready(f"http://{LOOPBACK}:{ports.gateway}/readyz"),
            grace_s=DRAIN_S,
        ),
        "catcher": Part(
            name="catcher",
            module="maillane_local.catcher",
            env={
                **ambient(*SECRETS_OF_SOME),
                "MAILLANE_CATCHER_SMTP_PORT": str(ports.catcher_smtp),
                "MAILLANE_CATCHER_WEB_PORT": str(ports.catcher_web),
            },
            port=ports.catcher_smtp,
            ready=tcp_accepts(ports.catcher_smtp),
            grace_s=5.0,
        ),
    }


def _common_env(secrets: Secrets) -> dict[str, str]:
    return {
        **ambient(*SECRETS_OF_SOME),
        "MAILLANE_SERVICE_KEY": secrets.service_key,
        "MAILLANE_HOST": LOOPBACK,
        "MAILLANE_LOG_FORMAT": "json",
    }


def _credentials(env: Mapping[str, str]) -> grpc.ChannelCredentials | None:
    """What the services ask of each other, and so of us: a certificate, if TLS between them is set."""
    names = ("MAILLANE_TLS_KEY", "MAILLANE_TLS_CERT", "MAILLANE_TLS_CA")
    if not all(env.get(name) for name in names):
        return None
    key, cert, ca = (Path(env[name]).read_bytes() for name in names)
    return grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=cert)


def _to_the_catcher(ports: Ports) -> dict[str, str]:
    # Mail on this machine goes to the catcher: loopback, and a port that no mail server has. Others asked for stay.
    asked = ambient().get("MAILLANE_SMTP_PORTS", "")
    smtp_ports = ",".join(filter(None, (asked, str(ports.catcher_smtp))))
    return {"MAILLANE_SMTP_ALLOW_PRIVATE": "true", "MAILLANE_SMTP_PORTS": smtp_ports}
