"""`python -m maillane_scheduler`: serves until SIGTERM. With `migrate` or `init`, does that instead.

migrate             brings the schema up to date
init --token-file F migrates, and makes the workspace "default" with an admin token, which it writes to F (mode 0600),
                    unless F is there already
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from maillane_chassis import logs
from maillane_chassis.server import run
from maillane_chassis.settings import load

from maillane_scheduler.api_token import Role, digest, new_secret
from maillane_scheduler.scheduler import Scheduler
from maillane_scheduler.settings import Settings
from maillane_scheduler.store import identity
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.store.engine import open_engine

WORKSPACE = "default"
# A thread that checks an import's rows keeps the interpreter for so long each time that the event loop wants it back,
# after each statement of that import, for one. Python's own 5 ms made a tenth of an import's time of such waits.
SWITCH_S = 0.0005


async def serve(stop: asyncio.Event) -> None:
    """Serves until the event is set; Postgres, Redis and the limiter may come later, and go."""
    settings = load(Settings)
    logs.configure(settings, "scheduler")
    sys.setswitchinterval(SWITCH_S)
    async with Scheduler(settings) as scheduler:
        await scheduler.serve(stop)


async def init(settings: Settings, token_file: Path) -> None:
    """Makes the first workspace and token. Safe to repeat: where the token's file is, nothing is done."""
    if token_file.exists():
        return
    engine = open_engine(settings.postgres_url.get_secret_value(), 2)
    try:
        secret = new_secret()
        async with engine.begin() as connection:
            workspace = await identity.find_workspace(connection, WORKSPACE)
            if workspace is None:
                workspace = await identity.create_workspace(connection, WORKSPACE)
            actor = Actor(workspace, None, "init")
            await identity.create_token(connection, actor, "first", Role.ADMIN, digest(secret))
            _write_secret(token_file, secret)
    finally:
        await engine.dispose()


def _write_secret(path: Path, text: str) -> None:
    """Whole or not at all: a half-written token would look like a token."""
    whole = path.with_name(path.name + ".new")
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
    whole.replace(path)


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="maillane_scheduler")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="serve until SIGTERM (the default)")
    commands.add_parser("migrate", help="bring the schema up to date")
    initial = commands.add_parser("init", help="make the first workspace and token")
    initial.add_argument("--token-file", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.command in (None, "serve"):
        run(serve)
        return
    # Only here: what migrates takes half a second to load, which a server has better uses for.
    from maillane_scheduler.store import migrate  # noqa: PLC0415

    settings = load(Settings)
    try:
        migrate.upgrade(settings.postgres_url.get_secret_value())
    except migrate.SchemaInUse as error:
        sys.exit(f"the schema was not migrated: {error}")
    if given.command == "init":
        asyncio.run(init(settings, given.token_file))


if __name__ == "__main__":
    main(sys.argv[1:])
