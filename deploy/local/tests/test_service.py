"""Our own processes: started, read, looked at, stopped, and what is said when that fails."""

import os
from pathlib import Path

import pytest
from maillane_local import service as service_module
from maillane_local.errors import LocalError
from maillane_local.health import tcp_accepts
from maillane_local.ports import free_port
from maillane_local.service import Part, Service, run_once

LISTENING = """
import os, signal, socket
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("listening", flush=True)
signal.sigwait([signal.SIGUSR1])
"""

DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LISTENING


class Program:
    """A module that a test wrote, as a part, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.said: list[tuple[str, str]] = []
        self.service: Service | None = None

    def __call__(self, source: str, grace_s: float = 5.0) -> Service:
        (self.folder / "program.py").write_text(source)
        env = {**os.environ, "PYTHONPATH": str(self.folder), "PORT": str(self.port)}
        part = Part("program", "program", env, self.port, tcp_accepts(self.port), grace_s)
        self.service = Service(part, lambda name, line: self.said.append((name, line)))
        return self.service


@pytest.fixture
async def program(tmp_path: Path):
    program = Program(tmp_path)
    yield program
    if program.service is not None:
        await program.service.stop()


async def test_a_service_is_ready_when_it_has_started(program: Program):
    """`start` returns once it can be used, and what it says is passed on with its name."""
    await program(LISTENING).start()

    assert (await tcp_accepts(program.port)(), program.said) == (True, [("program", "listening")])


async def test_a_service_that_ends_at_once_is_reported_with_its_last_word(program: Program):
    """The error says how it ended and what it said."""
    service = program("import sys; print('starting'); sys.exit('bad settings: X is required')")

    with pytest.raises(LocalError, match="program ended with exit code 1; its last line: bad settings: X is required"):
        await service.start()


async def test_a_service_that_never_gets_ready_is_given_up(program: Program, monkeypatch: pytest.MonkeyPatch):
    """A process that lives and does not answer is stopped, and reported."""
    monkeypatch.setattr(service_module, "START_S", 0.5)
    service = program("import signal; signal.sigwait([signal.SIGUSR1])")

    with pytest.raises(LocalError, match="is not ready"):
        await service.start()

    assert service.exit_code() is not None


async def test_a_port_that_another_program_has_does_not_count_as_ready(program: Program, tmp_path: Path):
    """An answer counts only from the process that was started."""
    (tmp_path / "other").mkdir()
    other = Program(tmp_path / "other")
    taken = other(LISTENING)
    await taken.start()
    program.port = other.port

    with pytest.raises(LocalError, match="Address already in use"):
        await program(LISTENING).start()
    await taken.stop()


async def test_a_service_that_does_not_end_is_killed(program: Program):
    """What ignores SIGTERM is killed after its grace, and that is said."""
    service = program(DEAF, grace_s=0.2)
    await service.start()

    await service.stop()

    assert (service.exit_code(), program.said[-1][1]) == (-9, "did not end within 0 s, and was killed")


async def test_a_killed_service_starts_again(program: Program):
    """`kill` is a crash; `start` then makes a new process."""
    service = program(LISTENING)
    await service.start()
    first = service.pid

    await service.kill()
    await service.start()

    assert service.pid != first


def test_a_command_that_fails_is_reported_with_its_last_word(tmp_path: Path):
    """The error says which command, how it ended and what it said."""
    (tmp_path / "command.py").write_text("import sys; sys.exit('no such table')")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}

    with pytest.raises(LocalError, match="the migration ended with exit code 1; its last line: no such table"):
        run_once("the migration", "command", env=env, timeout_s=30)


def test_a_command_that_hangs_is_ended(tmp_path: Path):
    """No start waits for ever."""
    (tmp_path / "command.py").write_text("import signal; signal.sigwait([signal.SIGUSR1])")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}

    with pytest.raises(LocalError, match="took more than"):
        run_once("the migration", "command", env=env, timeout_s=0.5)
