"""The deploy files against the code: what images hold, what services are told, what alerts look at."""

import re
import runpy
from importlib import import_module
from itertools import chain
from typing import Any

import prometheus_client
import pytest
import yaml  # type: ignore[import-untyped]
from maillane_chassis.settings import ServiceSettings
from maillane_gateway.settings import GatewaySettings
from maillane_ratelimit.settings import Settings as RatelimitSettings
from maillane_scheduler.settings import Settings as SchedulerSettings
from maillane_sender.settings import Settings as SenderSettings
from support.documents import ROOT

SETTINGS: dict[str, type[ServiceSettings]] = {
    "scheduler": SchedulerSettings,
    "ratelimit": RatelimitSettings,
    "sender": SenderSettings,
    "gateway": GatewaySettings,
}
STORES = {"alembic", "hiredis", "psycopg", "psycopg-binary", "psycopg-pool", "redis", "sqlalchemy"}
OF_POSTGRES_AND_REDIS = {"MAILLANE_POSTGRES_URL", "MAILLANE_REDIS_URL", "MAILLANE_SECRET_KEY"}

requirements = runpy.run_path(str(ROOT / "deploy/docker/requirements.py"))


def installed(service: str) -> set[str]:
    """The packages of a service's image, by the lock."""
    part = requirements["part_of"]((ROOT / "requirements.lock").read_text(), requirements["members"](service))
    return set(re.findall(r"^([a-z0-9-]+)==", part, re.MULTILINE))


def documents(path: str) -> list[Any]:
    """The documents of a YAML file."""
    return list(yaml.safe_load_all((ROOT / path).read_text()))


def environment(service: str) -> dict[str, Any]:
    """What compose tells a service."""
    [compose] = documents("deploy/compose.yaml")
    return dict(compose["services"][service]["environment"])


def settings(service: str) -> set[str]:
    """What a service reads."""
    return {f"MAILLANE_{name.upper()}" for name in SETTINGS[service].model_fields}


@pytest.mark.parametrize("service", ["sender", "gateway"])
def test_images_without_a_store_have_no_client_of_one(service: str) -> None:
    """Whoever breaks into a sender finds nothing that speaks to a store."""
    assert installed(service) & STORES == set()


def test_an_image_has_what_its_service_imports() -> None:
    """The scheduler's has its stores' clients, and their binaries."""
    assert installed("scheduler") >= STORES | {"grpcio", "pydantic", "cryptography", "greenlet"}


def test_the_gateways_image_serves_the_web_ui_that_it_holds() -> None:
    """Where it was built is where the gateway is told to look; without that the image is the API alone."""
    dockerfile = (ROOT / "deploy/docker/Dockerfile").read_text()
    gateway = dockerfile.partition(" AS gateway\n")[2]
    [built] = re.findall(r"npm run build .*--outDir (\S+)", dockerfile)

    assert re.findall(r"COPY --from=build-web (\S+) (\S+)", gateway) == [(built, built)]
    assert re.findall(r"MAILLANE_WEB_DIR=(\S+)", gateway) == [built]


@pytest.mark.parametrize("service", SETTINGS)
def test_compose_tells_services_what_they_read(service: str) -> None:
    """A setting with a slip in its name would be ignored in silence."""
    assert set(environment(service)) <= settings(service)


@pytest.mark.parametrize("service", ["sender", "gateway"])
def test_compose_tells_no_service_of_a_store_that_it_has_none_of(service: str) -> None:
    """The sender and the gateway are given no credential of a store."""
    assert set(environment(service)) & OF_POSTGRES_AND_REDIS == set()


def test_only_schedulers_and_the_limiter_reach_stores() -> None:
    """The network of the stores has nobody else in it."""
    [compose] = documents("deploy/compose.yaml")

    assert {name for name, service in compose["services"].items() if "stores" in service["networks"]} == {
        "postgres",
        "valkey",
        "migrate",
        "token",
        "ratelimit",
        "scheduler",
    }


def test_compose_publishes_on_loopback_alone() -> None:
    """What is to be seen from outside, a person publishes."""
    [compose] = documents("deploy/compose.yaml")
    published = chain.from_iterable(service.get("ports", ()) for service in compose["services"].values())

    assert all(port.startswith("127.0.0.1:") for port in published)


def test_kubernetes_tells_what_services_read() -> None:
    """Each name in the shared configuration is a setting of some service."""
    [config] = documents("deploy/kubernetes/config.yaml")
    secrets = chain.from_iterable(each["stringData"] for each in documents("deploy/kubernetes/secret.example.yaml"))

    assert {*config["data"], *secrets} <= set().union(*map(settings, SETTINGS))


@pytest.mark.parametrize("service", SETTINGS)
def test_pods_are_given_time_to_drain(service: str) -> None:
    """A pod is not killed while it waits for what is open, and tells what became of it."""
    [config] = documents("deploy/kubernetes/config.yaml")
    deployment = documents(f"deploy/kubernetes/{service}.yaml")[0]
    pod = deployment["spec"]["template"]["spec"]

    assert pod["terminationGracePeriodSeconds"] >= 2 * float(config["data"]["MAILLANE_DRAIN_S"]) + 5


@pytest.mark.parametrize(("service", "own"), [("sender", []), ("gateway", ["maillane-gateway"])])
def test_pods_without_a_store_have_no_secret_of_one(service: str, own: list[str]) -> None:
    """As with compose. The gateway has that of the provider that people sign in with."""
    pod = documents(f"deploy/kubernetes/{service}.yaml")[0]["spec"]["template"]["spec"]
    secrets = [source["secretRef"]["name"] for source in pod["containers"][0]["envFrom"] if "secretRef" in source]

    assert secrets == ["maillane-services", *own]


def test_alerts_look_at_metrics_that_there_are() -> None:
    """A metric that was renamed would leave its alert silent for ever."""
    for module in ("maillane_chassis", "maillane_scheduler", "maillane_sender", "maillane_gateway.http"):
        import_module(f"{module}.metrics")
    there = {sample for metric in prometheus_client.REGISTRY.collect() for sample in _series(metric.name, metric.type)}
    [rules] = documents("deploy/observability/alerts.yml")
    expressions = " ".join(rule["expr"] for group in rules["groups"] for rule in group["rules"])
    looked_at = set(re.findall(r"\b((?:maillane|grpc_server|http_server)_\w+)", expressions))

    assert looked_at <= there


def _series(name: str, kind: str) -> set[str]:
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(kind, ("",))
    return {name + ending for ending in endings}
