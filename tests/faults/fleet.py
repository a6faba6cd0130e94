"""More schedulers and senders than one, beside those of a system."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from maillane_local.logs import log_files
from maillane_local.parts import Ports, Stores, parts
from maillane_local.ports import LOOPBACK, free_ports
from maillane_local.service import Service

from .rig import Rig

STARTED_AT_ONCE = 2
"""As many as there are processors: each loads its libraries for some seconds."""


@asynccontextmanager
async def fleet(
    rig: Rig, schedulers: int, senders: int, *, environment: Mapping[str, str] | None = None, **settings: object
) -> AsyncIterator[list[Service]]:
    """So many of each in all, the system's own included; senders go round over all schedulers.

    `environment` is that of those beside the system's own, as it stands.
    """
    log = log_files(rig.system.folder.path / "log")
    overrides = {f"MAILLANE_{name.upper()}": str(value) for name, value in settings.items()}
    overrides |= {"MAILLANE_SMTP_PORTS": str(rig.sink.port), **(environment or {})}
    made = [
        Service(replace(part, name=f"{name}{number}"), log)
        for name, count in (("scheduler", schedulers), ("sender", senders))
        for number in range(2, count + 1)
        for part in (_part(rig, name, overrides),)
    ]
    targets = ",".join(
        [rig.system.urls["scheduler"], *(f"{LOOPBACK}:{s.part.port}" for s in made if s.part.name.startswith("sch"))]
    )
    for service in made:
        if service.part.name.startswith("sender"):
            service.part = replace(
                service.part, env={**service.part.env, "MAILLANE_SCHEDULER_TARGET": f"ipv4:{targets}"}
            )
    try:
        for at in range(0, len(made), STARTED_AT_ONCE):
            await asyncio.gather(*(service.start() for service in made[at : at + STARTED_AT_ONCE]))
        yield made
    finally:
        await asyncio.gather(*(service.stop() for service in made))


def _part(rig: Rig, name: str, overrides: dict[str, str]):
    system = rig.system
    free = free_ports(10)
    limiter = int(system.urls["ratelimit"].rpartition(":")[2])
    ports = replace(Ports(*free), ratelimit=limiter)
    stores = Stores(postgres_url=system.postgres_url, redis_url=system.redis_url)
    return parts(stores, system.secrets, ports, overrides)[name]
