"""`make up` a second time."""

import tempfile
import time
from pathlib import Path
from typing import Final

from maillane_local.system import System

from ..row import Figures, Form, Goal, Line, Row, ours


async def _second(form: Form) -> Figures:
    """The whole system on a folder that a first one has left: until everything is healthy."""
    with tempfile.TemporaryDirectory(prefix="maillane-bench-") as folder:
        async with System(Path(folder)):
            pass
        begun = time.perf_counter()
        async with System(Path(folder)):
            return {"s": time.perf_counter() - begun}


START: Final = Row(
    "start",
    (Line("s", "make up, second start, until healthy", "s", Goal(most=4)),),
    (ours(_second),),
    long_s=30,
)
