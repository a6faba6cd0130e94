"""`python -m maillane_local up` and `python -m maillane_local demo`."""

import argparse
import asyncio
import sys

from pydantic import ValidationError

from maillane_local import demo, supervisor
from maillane_local.errors import LocalError
from maillane_local.settings import LocalSettings


def main() -> None:
    """Does what the command line says. What goes wrong is one line on stderr, and exit code 1."""
    parser = argparse.ArgumentParser(prog="maillane_local", description=__doc__)
    parser.add_argument("command", choices=("up", "demo"))
    command = {"up": supervisor.run, "demo": demo.run}[parser.parse_args().command]
    try:
        asyncio.run(command(LocalSettings()))
    except ValidationError as error:
        sys.exit("\n".join(_setting(detail["loc"], detail["msg"]) for detail in error.errors(include_input=False)))
    except LocalError as error:
        sys.exit(f"maillane: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _setting(location: tuple[int | str, ...], message: str) -> str:
    return f"maillane: MAILLANE_{'_'.join(map(str, location)).upper()}: {message}"


if __name__ == "__main__":
    main()
