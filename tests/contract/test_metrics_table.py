"""The table of metrics in docs/operating.md against the code."""

import re
from importlib import import_module

import prometheus_client
from support.documents import ROOT

OURS = ("maillane_", "grpc_server_", "http_server_")


def shown() -> set[str]:
    """What services show, as Prometheus has it."""
    for module in ("maillane_chassis", "maillane_scheduler", "maillane_sender", "maillane_gateway.http"):
        import_module(f"{module}.metrics")
    families = [family for family in prometheus_client.REGISTRY.collect() if family.name.startswith(OURS)]
    return {f"{family.name}_total" if family.type == "counter" else family.name for family in families}


def told() -> set[str]:
    """What the table tells of. A name that begins with an underscore goes on from the first of its row."""
    table = (ROOT / "docs/operating.md").read_text().partition("\n## Metrics and alerts\n")[2].partition("\n## ")[0]
    found = set()
    for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
        first, *others = re.findall(r"`(\w+)`", row)
        stem = first.rpartition("_")[0]
        found |= {first, *(f"{stem}{other}" if other.startswith("_") else other for other in others)}
    return found


def test_every_metric_is_told_of_and_no_other() -> None:
    """Whoever is looking for one finds it there, by the name that it has."""
    assert told() == shown()
