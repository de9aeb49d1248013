"""Fixtures shared by all tests: real Postgres and real Valkey, started by the tests themselves.

`DATABASE_URL` and `REDIS_URL` name servers to use instead (the role must be allowed to create databases). Each process
of a parallel run has its own servers; each test that asks for `database` has a fresh, migrated database.
"""

import itertools
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from campaigns.runtime.embedded import start_postgres, start_valkey

SESSION_MARK = "RINGFENCE_TEST_SESSION"
"""An environment variable that every process started by a test inherits, so that one left behind is found."""
LEFTOVER_GRACE_SECONDS = 10.0
OWN_VARIABLES = (
    *("DATABASE_URL", "REDIS_URL"),
    *("RINGFENCE_HOME", "RINGFENCE_OPERATOR", "RINGFENCE_PUBLIC_URL", "RINGFENCE_ROLE"),
)
"""What an installation on this machine may have set; no test is to find it."""
TEMPLATE = "ringfence_test_template"
VALKEY_DATABASES = 16
"""As many as a server has unless it is told otherwise."""
_TURNS = itertools.count()


STORIES = ("tests/e2e/chaos/", "tests/e2e/test_faults_")
"""Files that wait for minutes and compute little; begun last, they would wait while all other processes are done."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stories first, and then the others in the order that chance gave them."""
    items.sort(key=lambda item: not item.nodeid.startswith(STORIES))


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    """Fails the session when a process that a test has started outlives it."""
    mark = os.environ[SESSION_MARK] = uuid.uuid4().hex
    yield
    deadline = time.monotonic() + LEFTOVER_GRACE_SECONDS
    while (left := _processes_left(mark)) and time.monotonic() < deadline:
        pass  # looking takes a while by itself
    del os.environ[SESSION_MARK]
    assert not left, "processes were left behind:\n" + "\n".join(left)


def _processes_left(mark: str) -> list[str]:
    """Our descendants, and every other process that inherited `mark` from us, as one line each."""
    ours = psutil.Process()
    descendants = {process.pid for process in ours.children(recursive=True)}
    return [
        f"{process.pid} {process.info['name']}"
        for process in psutil.process_iter(["name", "status"])
        if process != ours
        and process.info["status"] != psutil.STATUS_ZOMBIE
        and (process.pid in descendants or _inherited(process, mark))
    ]


def _inherited(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(SESSION_MARK) == mark
    except psutil.Error:  # it has just ended, or belongs to somebody else
        return False


@pytest.fixture(scope="session", autouse=True)
def _external(session_folder: Path) -> Iterator[Mapping[str, str]]:
    """The variables of `OWN_VARIABLES` as they were; for the tests they are taken away, and the home is a fresh one."""
    before = {name: value for name in OWN_VARIABLES if (value := os.environ.pop(name, None))}
    os.environ["RINGFENCE_HOME"] = str(session_folder / "home")
    yield before
    del os.environ["RINGFENCE_HOME"]
    os.environ.update(before)


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    """A folder for the session's servers, which the account they run as can enter (pytest's own are closed)."""
    folder = Path(tempfile.mkdtemp(prefix="ringfence-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """The same for one test that starts servers of its own; removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="ringfence-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_url(session_folder: Path, _external: Mapping[str, str]) -> Iterator[str]:
    """A Postgres server, as the URL of a database in which nothing is kept."""
    if url := _external.get("DATABASE_URL"):
        yield url
        return
    with start_postgres(session_folder / "postgres", durable=False) as server:
        yield server.url


@pytest.fixture(scope="session")
def _valkey_server(session_folder: Path, _external: Mapping[str, str]) -> Iterator[str]:
    """A Valkey server, shared by the tests of this process."""
    if url := _external.get("REDIS_URL"):
        yield url
        return
    with start_valkey(session_folder / "valkey", durable=False) as server:
        yield server.url


@pytest.fixture
def valkey_url(_valkey_server: str) -> str:
    """One of its databases, each test another one: a thread that an earlier test left may still send a nudge to its."""
    return urlsplit(_valkey_server)._replace(path=f"/{next(_TURNS) % VALKEY_DATABASES}").geturl()


@pytest.fixture(scope="session")
def _migrated_template(postgres_url: str) -> Iterator[str]:
    """Name of a database with our schema, from which tests get theirs by copy (a tenth of a second each)."""
    from campaigns.store.engine import open_engine
    from campaigns.store.migrate import upgrade

    name = f"{TEMPLATE}_{uuid.uuid4().hex[:12]}"
    with _created(postgres_url, name) as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()  # Postgres copies a database only while nobody is connected to it
        yield name


@pytest.fixture
def database_url(postgres_url: str, _migrated_template: str) -> Iterator[str]:
    """URL of a fresh, migrated database; for tests that start processes of their own on it."""
    with _created(postgres_url, f"test_{uuid.uuid4().hex[:16]}", template=_migrated_template) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """URL of a fresh database without any table; for tests of the migrations."""
    with _created(postgres_url, f"empty_{uuid.uuid4().hex[:16]}") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An engine, made as the product makes it, on a fresh, migrated database."""
    from campaigns.store.engine import open_engine

    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def valkey(valkey_url: str) -> Iterator[redis.Redis]:
    """A client of an empty database of Valkey."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushdb()
        yield client
        client.flushdb()


class _created:  # noqa: N801 - used as a `with` word
    """A database that exists for the length of a `with` block, whose value is its URL."""

    def __init__(self, server_url: str, name: str, *, template: str = "template0") -> None:
        self._server_url = server_url
        self._name = name
        self._template = template

    def __enter__(self) -> str:
        self._run(f'CREATE DATABASE "{self._name}" TEMPLATE "{self._template}" STRATEGY file_copy')
        return make_url(self._server_url).set(database=self._name).render_as_string(hide_password=False)

    def __exit__(self, *_: object) -> None:
        self._run(f'DROP DATABASE "{self._name}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        with psycopg.connect(_libpq(self._server_url), autocommit=True) as connection:
            connection.execute(statement.encode())


def _libpq(url: str) -> str:
    """The URL as Postgres's own library reads it, without SQLAlchemy's name of a driver."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def ringfence_command() -> str:
    """Path of the installed `ringfence` command."""
    return str(Path(sys.executable).with_name("ringfence"))
