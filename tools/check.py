"""Runs every check but the tests, says how each went, and exits 1 if one failed.

With names as arguments, only those checks run: `make check ARGS="types layers"`.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv/bin"

PACKAGES = (
    "protos/python/maillane",
    "services/chassis/maillane_chassis",
    "services/scheduler/maillane_scheduler",
    "services/ratelimit/maillane_ratelimit",
    "services/redis_cluster/maillane_redis_cluster",
    "services/sender/maillane_sender",
    "gateway/maillane_gateway",
    "deploy/local/maillane_local",
)

LOCKS = (
    "requirements.lock",
    "tools/uv.txt",
    "tools/node.txt",
    "gateway/web/package-lock.json",
    "tests/integration/smtp_server/package-lock.json",
    "tests/web/browser/package-lock.json",
    "tests/bench/peers/package-lock.json",
    "tests/bench/peers/requirements.lock",
)
"""What is installed, by hash: none may say from where, for that is each machine's own matter."""

Failure = str
"""What a check says when it fails: the output of a tool, or a line of ours."""


def style() -> Iterator[Failure]:
    """Ruff's rules and format."""
    yield from _run("ruff", "check", "--quiet", ".")
    yield from _run("ruff", "format", "--check", "--quiet", "--diff", ".")


def types() -> Iterator[Failure]:
    """Mypy, strictly: packages, tools and common tests at once, then each member's tests, whose names repeat."""
    yield from _run("mypy", *PACKAGES, "conftest.py", "tests")
    yield from _run("mypy", "tools")
    yield from _run("mypy", "deploy/docker")
    for tests in sorted(ROOT.glob("*/**/tests")):
        if tests.parent.joinpath("pyproject.toml").exists() and any(tests.rglob("*.py")):
            yield from _run("mypy", str(tests.relative_to(ROOT)))


def layers() -> Iterator[Failure]:
    """Import-linter's contracts: who may know whom."""
    yield from _run("lint-imports", "--no-logo")


def web() -> Iterator[Failure]:
    """TypeScript's compiler over the web UI, against types of the API as it is now."""
    yield from _outcome([str(ROOT / "tools/web.sh"), "check"])


def protos() -> Iterator[Failure]:
    """Buf's lint and format, and that the generated code is what the protos make."""
    yield from _run("python", "tools/generate_protos.py", "--check")
    yield from _run("buf", "lint")
    yield from _run("buf", "format", "--diff", "--exit-code", "protos")


def breaking() -> Iterator[Failure]:
    """Buf: nothing that clients of the main branch use has gone."""
    yield from _run("python", "tools/breaking.py")


def locks() -> Iterator[Failure]:
    """No lock names an address, and the one for Python still fits what the members ask for."""
    for name in LOCKS:
        if "://" in (ROOT / name).read_text():
            yield f"{name} names an address"
    yield from _run("python", "tools/locked.py")


def deploy() -> Iterator[Failure]:
    """Dockerfiles, compose file and Kubernetes manifests, for no engine runs here to try them."""
    if dockerfiles := sorted(ROOT.glob("deploy/docker/**/*Dockerfile*")):
        yield from _run("hadolint", *map(str, dockerfiles))
    if manifests := sorted(ROOT.glob("deploy/kubernetes/**/*.yaml")):
        resources = [str(path) for path in manifests if path.name != "kustomization.yaml"]
        yield from _run("kubernetes-validate", "--strict", "--quiet", *resources)
    if (compose := ROOT / "deploy/compose.yaml").exists():
        yield from _run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(compose))


def shell() -> Iterator[Failure]:
    """That the scripts parse."""
    for script in (*sorted(ROOT.glob("tools/*.sh")), ROOT / ".ci/run"):
        shell_name = "bash" if script.read_text().startswith("#!/usr/bin/env bash") else "sh"
        yield from _outcome([shell_name, "-n", str(script)])


CHECKS: tuple[Callable[[], Iterator[Failure]], ...] = (
    style,
    types,
    layers,
    web,
    protos,
    breaking,
    locks,
    deploy,
    shell,
)


def main() -> None:
    """Runs the checks that are named, or all."""
    wanted = sys.argv[1:] or [check.__name__ for check in CHECKS]
    if unknown := set(wanted) - {check.__name__ for check in CHECKS}:
        sys.exit(
            f"check: no such check: {', '.join(sorted(unknown))}; there are {', '.join(c.__name__ for c in CHECKS)}"
        )
    failed = []
    for check in CHECKS:
        if check.__name__ in wanted:
            begun = time.monotonic()
            failures = list(check())
            if failures:
                failed.append(check.__name__)
                print("\n".join(failures))
            print(
                f"{'FAILED' if failures else 'ok':<6} {check.__name__} ({time.monotonic() - begun:.1f} s)", flush=True
            )
    if failed:
        sys.exit(f"check: failed: {', '.join(failed)}")


def _run(tool: str, *arguments: str) -> Iterator[Failure]:
    yield from _outcome([str(BIN / tool), *arguments])


def _outcome(command: list[str]) -> Iterator[Failure]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        yield (done.stdout + done.stderr).strip() or f"{command[0]} ended with {done.returncode}"


if __name__ == "__main__":
    main()
