"""Connections to Postgres: an engine for ordinary queries, a pool of raw connections for the hot statements."""

import asyncio

from psycopg import AsyncConnection, AsyncRawCursor, Error
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

# A call that finds no free connection for so long is told that Postgres is not available, well within its deadline.
CHECKOUT_S = 2.0
# A server that does not answer at all is given up after so long.
CONNECT_S = 2
# No ordinary query takes a second; what takes this long is stuck, and its caller is gone. Lock waits count.
STATEMENT_MS = 30_000
# A connection whose peer vanished without a word is noticed after about 5 s, not after the kernel's two hours.
KEEPALIVE = {"keepalives_idle": 3, "keepalives_interval": 1, "keepalives_count": 2, "tcp_user_timeout": 5_000}

# The hot statements touch tens of rows by their keys: any plan but nested index scans is a mistake of the statistics,
# which are always wrong on tables that grow by millions an hour.
_PLANNER = (
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET enable_seqscan = off",
    "SET jit = off",
    f"SET statement_timeout = {STATEMENT_MS}",
)

DispatchPool = AsyncConnectionPool[AsyncConnection[TupleRow]]


def open_engine(url: str, connections: int) -> AsyncEngine:
    """An engine for ordinary queries; it connects when it is first used."""
    return create_async_engine(
        driver_url(url),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=CHECKOUT_S,
        # A connection that died while it was idle is replaced, not handed out.
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_S,
            "options": f"-c statement_timeout={STATEMENT_MS} -c jit=off",
            **KEEPALIVE,
        },
    )


def dispatch_pool(url: str, connections: int) -> DispatchPool:
    """A pool for the hot statements: autocommit, prepared at first use, `$n` parameters; open it before use."""
    return AsyncConnectionPool(
        url,
        connection_class=AsyncConnection[TupleRow],
        kwargs={
            "autocommit": True,
            "prepare_threshold": 0,
            "cursor_factory": AsyncRawCursor,
            "connect_timeout": CONNECT_S,
            **KEEPALIVE,
        },
        min_size=connections,
        max_size=connections,
        timeout=CHECKOUT_S,
        # Attempts to connect anew back off to this: Postgres is used again within a few seconds of its return.
        reconnect_timeout=3600,
        configure=_configure,
        check=None,
        open=False,
    )


async def _configure(connection: AsyncConnection[TupleRow]) -> None:
    for statement in _PLANNER:
        await connection.execute(statement.encode(), prepare=False)


async def ping(engine: AsyncEngine) -> None:
    """Returns if Postgres answers; raises what it raises where it does not."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def answers(url: str, within_s: float) -> bool:
    """Whether Postgres lets somebody in who comes anew, within so many seconds: one that hangs does not.

    By a connection of its own, which can be given up at any time: a statement that is cancelled asks its server to stop
    it, and waits for that.
    """
    try:
        async with asyncio.timeout(within_s):
            connection = await AsyncConnection.connect(url)
            await connection.close()
    except (TimeoutError, Error):
        return False
    return True


def driver_url(url: str) -> str:
    """The same URL, naming psycopg as SQLAlchemy's driver."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("a Postgres URL begins with postgresql://")
    return f"postgresql+psycopg://{rest}"
