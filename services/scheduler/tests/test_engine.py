"""Whether Postgres answers."""

import signal

import psutil
from maillane_local.postgres import Postgres
from maillane_scheduler.store.engine import answers


async def test_a_server_that_hangs_does_not_answer(tmp_path_factory) -> None:
    """A stopped Postgres takes connections, and says nothing."""
    server = Postgres(tmp_path_factory.mktemp("postgres"), password="of-tests")
    await server.start()
    process = psutil.Process(server.pid)
    healthy = await answers(server.url(), 5)
    process.send_signal(signal.SIGSTOP)

    hung = await answers(server.url(), 0.3)

    process.send_signal(signal.SIGCONT)
    await server.stop()
    assert (healthy, hung) == (True, False)
