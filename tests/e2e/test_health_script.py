"""The health check that images carry, against the real system."""

import os
import subprocess
import sys

import pytest
from maillane_local.ports import free_port
from maillane_local.system import System
from support.documents import ROOT


def health(service: str, port: str) -> subprocess.CompletedProcess[str]:
    """Runs it as an engine does, beside a service on that port."""
    return subprocess.run(
        [sys.executable, "-P", ROOT / "deploy/docker/health.py", service],
        env={**os.environ, f"MAILLANE_{service.upper()}_PORT": port, "no_proxy": "localhost"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("service", ["scheduler", "ratelimit", "sender", "gateway"])
def test_a_service_that_serves_is_healthy(system: System, service: str) -> None:
    """It exits 0 and says nothing."""
    done = health(service, system.urls[service].rpartition(":")[2])

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("service", ["scheduler", "gateway"])
def test_a_service_that_is_away_is_not(service: str) -> None:
    """It exits 1, with one line why."""
    done = health(service, str(free_port()))

    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
