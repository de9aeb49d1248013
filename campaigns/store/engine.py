"""The one place that opens connections to Postgres."""

from datetime import timedelta

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import Engine, create_engine

LOCK_TIMEOUT = timedelta(seconds=1)
"""A claim that waits longer than a permit lives has nothing left to claim for."""
STATEMENT_TIMEOUT = timedelta(seconds=30)
"""Long enough for a chunk of expansion, short enough that nothing hangs for ever."""
IDLE_TIMEOUT = timedelta(seconds=30)
"""A frozen process must not hold row locks: the server ends its transaction."""
BRIEFLY = "(SELECT set_config('idle_in_transaction_session_timeout', '1000', true)) AS briefly"
"""To be selected from along with a lock that all workers of an account need: whoever is frozen with it holds up all of
them, and not for thirty seconds."""


def open_engine(url: str, *, pool_size: int = 8) -> Engine:
    """A pooled engine, UTC, READ COMMITTED, with the time-outs above. `url` as Postgres writes it."""
    settings = {
        "TimeZone": "UTC",
        "application_name": "ringfence",
        "lock_timeout": _milliseconds(LOCK_TIMEOUT),
        "statement_timeout": _milliseconds(STATEMENT_TIMEOUT),
        "idle_in_transaction_session_timeout": _milliseconds(IDLE_TIMEOUT),
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return create_engine(
        url.replace("postgres://", "postgresql://", 1),
        isolation_level="READ COMMITTED",
        pool_size=pool_size,
        max_overflow=4,
        pool_pre_ping=True,
        # Parameters hold numbers and names; an error's text must not carry them into a log.
        hide_parameters=True,
        connect_args={"options": options, "connect_timeout": 5, "context": _Context()},
    )


class _Context:
    """Lists travel as binary arrays: quoting and parsing their text cost more than all else of a group's statements."""

    def __init__(self) -> None:
        self.adapters = AdaptersMap(psycopg.adapters)
        self.adapters.register_dumper(list, ListBinaryDumper)
        self.connection: psycopg.BaseConnection[object] | None = None


def _milliseconds(duration: timedelta) -> int:
    return round(duration / timedelta(milliseconds=1))
