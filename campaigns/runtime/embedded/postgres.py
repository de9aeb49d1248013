"""An embedded Postgres: a cluster in a folder, one process, loopback only, a password nobody has to know.

The folder holds `cluster/` (Postgres's own), `password`, `server.log` and `lock`.
"""

import os
import signal
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import psycopg

from campaigns.runtime.embedded.account import ServerAccount, popen_arguments, server_account
from campaigns.runtime.embedded.binaries import postgres_programs
from campaigns.runtime.embedded.errors import ForeignDataError, ServerStartError
from campaigns.runtime.embedded.folders import PASSWORD_FILE, kept_password, lock_folder, own_part, server_folder
from campaigns.runtime.embedded.launch import LOOPBACK, begin_log, spawn
from campaigns.runtime.embedded.server import EmbeddedServer, on_some_port, wait_until_ready

OWNER = "ringfence"
"""The role and the database that every embedded cluster has."""

READY_TIMEOUT = timedelta(seconds=60)
"""A cluster that was killed replays its log first; a large one takes its time."""

SERVER_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}
"""All that the server gets to see; English messages, since we look for some."""

ALWAYS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "max_connections": "200",  # several worker processes with a small pool each, beat, web and the command line
    "jit": "off",  # our statements are short; compiling one costs more than running it
    # No personal data in the server's log: neither values of a row, nor statements, nor their parameters.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For throw-away clusters of tests: a power cut ruins them, `kill -9` does not."""


class PostgresServer(EmbeddedServer):
    """A running embedded Postgres. SIGINT is its "fast" shutdown: clients are cut off, nothing is lost."""

    __slots__ = ()
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT


def start_postgres(
    data_dir: Path, *, durable: bool, port: int | None = None, environment: Mapping[str, str] = os.environ
) -> PostgresServer:
    """Start Postgres on `data_dir`, made if empty, and wait until it answers.

    `durable` keeps `fsync` and `synchronous_commit` on; only throw-away data may go without. Give `port` to come back
    where a server was before. Raises an `EmbeddedServerError`.
    """
    account = server_account()
    programs = postgres_programs(environment, account=account)
    folder = server_folder(data_dir, account)
    lock = lock_folder(folder)
    try:
        password = kept_password(folder, account=account)
        _ensure_cluster(folder, programs=programs, account=account)
        server = on_some_port(
            lambda free: _start(
                folder, programs=programs, account=account, port=free, durable=durable, password=password, lock=lock
            ),
            port=port,
        )
    finally:
        os.close(lock)  # the server has its own copy and holds the lock from now on
    _ensure_database(server)
    return server


def _ensure_cluster(folder: Path, *, programs: Path, account: ServerAccount | None) -> None:
    version_file = folder / "cluster" / "PG_VERSION"
    if version_file.exists():
        _check_version(version_file, programs=programs)
    else:
        _make_cluster(folder, programs=programs, account=account)


def _make_cluster(folder: Path, *, programs: Path, account: ServerAccount | None) -> None:
    cluster = own_part(folder, "cluster", account=account)
    command = [str(programs / "initdb"), "-D", str(cluster), "-U", OWNER, "-A", "scram-sha-256"]
    command += ["--pwfile", str(folder / PASSWORD_FILE), "-E", "UTF8", "--locale=C", "--no-instructions"]
    done = subprocess.run(
        command,
        env=SERVER_ENVIRONMENT,
        cwd="/",
        check=False,
        capture_output=True,
        text=True,
        **popen_arguments(account),
    )
    if done.returncode != 0:
        raise ServerStartError(f"No Postgres cluster could be made in {folder}; initdb says:\n{done.stderr.strip()}")


def _check_version(version_file: Path, *, programs: Path) -> None:
    """Postgres reads only clusters of its own major version."""
    made_by = version_file.read_text().strip()
    answer = subprocess.run([str(programs / "postgres"), "--version"], check=True, capture_output=True, text=True)
    found = answer.stdout.split()[2].partition(".")[0]
    if made_by != found:
        raise ForeignDataError(
            f"The data in {version_file.parent} was made by Postgres {made_by}, and the server found here is {found}. "
            f"Set PG_BIN to the programs of Postgres {made_by}, or RINGFENCE_HOME to a new folder."
        )


def _start(
    folder: Path,
    *,
    programs: Path,
    account: ServerAccount | None,
    port: int,
    durable: bool,
    password: str,
    lock: int,
) -> PostgresServer:
    log_path = folder / "server.log"
    begin_log(log_path)
    _drop_stale_pid_file(folder / "cluster" / "postmaster.pid")
    settings = {**ALWAYS, **(DURABLE if durable else FAST), "port": str(port)}
    command = [str(programs / "postgres"), "-D", str(folder / "cluster")]
    command += [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    process = spawn(
        command,
        environment=SERVER_ENVIRONMENT,
        log_path=log_path,
        end_signal=PostgresServer.stop_signal,
        account=account,
        cwd=Path("/"),
        lock_descriptor=lock,
    )
    url = f"postgresql://{OWNER}:{password}@{LOOPBACK}:{port}/{OWNER}"
    server = PostgresServer(process=process, port=port, data_dir=folder, log_path=log_path, url=url)
    wait_until_ready(server, ready=lambda: _answers(server), name="Postgres", timeout=READY_TIMEOUT)
    return server


def _drop_stale_pid_file(pid_file: Path) -> None:
    """Remove the pid file of a killed server when its number now belongs to a program that is not Postgres.

    Postgres itself copes with a number that belongs to nobody, but in a container numbers come round soon, and then it
    refuses to start. We hold the folder's lock here, so the only doubt is a server that somebody started by hand.
    """
    if pid_file.exists() and _belongs_to_another_program(pid_file.read_text().split()[0]):
        pid_file.unlink()


def _belongs_to_another_program(pid: str) -> bool:
    """Whether a process with this number lives and is no Postgres; only Linux can tell us, elsewhere it is kept."""
    name_file = Path("/proc") / pid / "comm"
    return name_file.exists() and name_file.read_text().strip() != "postgres"


def _maintenance_url(server: PostgresServer) -> str:
    return server.url.rpartition("/")[0] + "/postgres"


def _answers(server: PostgresServer) -> bool:
    try:
        psycopg.connect(_maintenance_url(server), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _ensure_database(server: PostgresServer) -> None:
    with psycopg.connect(_maintenance_url(server), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (OWNER,)).fetchone() is None:
            connection.execute(f"CREATE DATABASE {OWNER}")
