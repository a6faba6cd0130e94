"""Prints the document as the web UI's types are made from: `python -m maillane_gateway.openapi`.

It needs no running system. Here what every answer holds is required, so that the types do not call it optional.
"""

import json
import sys

from maillane_gateway.openapi.document import build
from maillane_gateway.services import SERVICES


def main() -> None:
    """Writes to standard output; the same code writes the same bytes."""
    json.dump(build(SERVICES, answers=True), sys.stdout, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
