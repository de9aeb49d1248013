"""Postgres on a virtual clock: our SQL as it is, in a schema whose functions of time come before the server's own.

The schema `virtual` stands first in the search path, so that every `clock_timestamp()` and `now()` of statements,
column defaults, functions and triggers is bound to the ones below. They read a setting of the session.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError

from campaigns.store.migrate import upgrade

SCHEMA = "virtual"
SETTING = "virtual.now"
CLOCKS = ("clock_timestamp", "now", "statement_timestamp", "transaction_timestamp")
"""Every function of Postgres that reads the clock. CURRENT_TIMESTAMP and its kin are syntax, which nothing can hide;
a test keeps them out of our statements."""
_NO_TIMEOUTS = f"""
    CREATE FUNCTION {SCHEMA}.set_config(name text, value text, is_local boolean) RETURNS text LANGUAGE sql VOLATILE AS
    $$ SELECT CASE WHEN name LIKE '%timeout' THEN value ELSE pg_catalog.set_config(name, value, is_local) END $$
"""
"""Statements that bound themselves do so in real seconds, of which a busy machine may let pass any number."""
_WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")
_OPTIONS = (
    # Nothing happens in the background that could change the order in which rows are found.
    f"-c search_path={SCHEMA},public,pg_catalog -c TimeZone=UTC -c {SETTING}=2026-12-02 -c jit=off"
    " -c synchronous_commit=off -c lock_timeout=1000 -c enable_seqscan=off"
)


class InjectedError(Exception):
    """The cause of every database error that a schedule makes up."""

    sqlstate = "08006"


def injected(what: str) -> OperationalError:
    """An error as SQLAlchemy raises it when the connection is lost."""
    return OperationalError(what, {}, InjectedError(what))


def is_injected(error: BaseException | None) -> bool:
    """Whether this error, or one that it came from, was made up."""
    while error is not None:
        if isinstance(getattr(error, "orig", None), InjectedError):
            return True
        error = error.__cause__ or error.__context__
    return False


def virtual_engine(url: str) -> Engine:
    """A plain engine: no look at a connection before its use, since nothing cuts it but we."""
    return create_engine(
        url.replace("postgres://", "postgresql://", 1),
        isolation_level="READ COMMITTED",
        pool_size=2,
        max_overflow=0,
        pool_timeout=5,
        connect_args={"options": _OPTIONS, "prepare_threshold": 2},
    )


def make_virtual(engine: Engine) -> None:
    """Hide the clock and bring the database to our schema."""
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        for clock in CLOCKS:
            connection.execute(
                text(
                    f"CREATE FUNCTION {SCHEMA}.{clock}() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
                    f"$$ SELECT CAST(current_setting('{SETTING}') AS timestamptz) $$"
                )
            )
        connection.execute(text(_NO_TIMEOUTS))
    upgrade(engine)
    with engine.begin() as connection:
        for table in _tables(connection):
            connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))


def _tables(connection: Connection) -> list[str]:
    names = connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = :schema ORDER BY 1"), {"schema": SCHEMA}
    ).scalars()
    return [name for name in names if name not in ("alembic_version", "system")]


def _set_clock(now: datetime) -> bytes:
    return f"SET {SETTING} = '{now.isoformat()}'".encode()


class Cleaner:
    """Empties the database between schedules, past the triggers that keep records from being deleted."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with engine.begin() as connection:
            self._tables = _tables(connection)
            sequences = connection.execute(
                text("SELECT sequencename FROM pg_sequences WHERE schemaname = :schema ORDER BY 1"), {"schema": SCHEMA}
            ).scalars()
            self._restart = "".join(f"SELECT setval('{SCHEMA}.{name}', 1, false);" for name in sequences)
        self._runs = 0

    def clean(self) -> None:
        """As it was after the migrations."""
        deletes = "".join(f"DELETE FROM {table};" for table in self._tables)
        statement = (
            f"SET session_replication_role = replica; {deletes}"
            "UPDATE system SET stopped = false, rules_digest = NULL, tzdata_version = NULL;"
            f"{self._restart} SET session_replication_role = origin"
        )
        with self._engine.begin() as connection:
            connection.connection.cursor().connection.execute(statement)  # type: ignore[attr-defined]
        self._runs += 1
        if self._runs % 50 == 1:
            self._vacuum()

    def _vacuum(self) -> None:
        """Rows of schedules that are over slow down the next ones."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"VACUUM {', '.join([*self._tables, 'system'])}")


class VirtualSql:
    """The engine below all processes of a schedule. `now`: the virtual clock."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now: Callable[[], datetime] = lambda: datetime.min.replace(tzinfo=UTC)
        self.wrote = False
        """Whether any row was written since this was last set to False."""
        self._onlooker: psycopg.Connection[Any] | None = None
        self._shown_to_onlooker: datetime | None = None
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)

    def close(self) -> None:
        if self._onlooker is not None:
            self._onlooker.close()
        self.engine.dispose()

    def _before(self, connection: Any, cursor: Any, *_: Any) -> None:
        now = self.now()
        if connection.info.get("now") != now:
            cursor.connection.execute(_set_clock(now))
            connection.info["now"] = now

    def _after(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if cursor.rowcount and statement.lstrip().startswith(_WRITES):
            self.wrote = True

    def look(self, statement: str, **values: Any) -> list[Any]:
        """Rows for whoever looks on, several times a commit and so past SQLAlchemy."""
        if self._onlooker is None:
            url = self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
            self._onlooker = psycopg.connect(
                url, autocommit=True, options=_OPTIONS, prepare_threshold=0, row_factory=namedtuple_row
            )
        now = self.now()
        if now != self._shown_to_onlooker and any(f"{clock}()" in statement for clock in CLOCKS):
            self._onlooker.execute(_set_clock(now))
            self._shown_to_onlooker = now
        return self._onlooker.execute(statement.encode(), values).fetchall()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction for whoever looks on: no pause, no fault."""
        with self.engine.begin() as connection:
            yield connection
