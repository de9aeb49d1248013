"""The embedded Postgres: starts, comes back, keeps what it promised, and is nobody else's."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from campaigns.runtime.embedded import (
    BinaryNotFoundError,
    FolderInUseError,
    ForeignDataError,
    PostgresServer,
    ServerStartError,
    folders,
    start_postgres,
)


def ask(server: PostgresServer, statement: str) -> object:
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
        return row[0] if row else None


def write(server: PostgresServer, statement: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(statement.encode())


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def server(server_folder: Path) -> Iterator[PostgresServer]:
    with start_postgres(server_folder / "postgres", durable=False) as running:
        yield running


def test_a_committed_row_survives_kill_minus_nine_and_the_server_comes_back_at_the_same_address(
    server_folder: Path,
) -> None:
    first = start_postgres(server_folder / "postgres", durable=True)
    write(first, "CREATE TABLE kept AS SELECT 7 AS n")
    first.kill()

    with start_postgres(server_folder / "postgres", durable=True, port=first.port) as second:
        assert second.url == first.url
        assert ask(second, "SELECT n FROM kept") == 7


def test_a_durable_server_syncs_every_commit_to_the_disk(server_folder: Path) -> None:
    with start_postgres(server_folder / "postgres", durable=True) as server:
        settings = [ask(server, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")]

    assert settings == ["on", "on", "on"]


def test_the_server_listens_on_the_loopback_only_and_wants_its_password(server: PostgresServer) -> None:
    without_password = server.url.replace(server.url.split(":")[2].split("@")[0], "wrong")

    assert ask(server, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(server, "SHOW unix_socket_directories") == ""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(without_password)


def test_the_password_is_in_no_text_of_the_server_and_no_argument_of_the_process(server: PostgresServer) -> None:
    password = server.url.split(":")[2].split("@")[0]

    assert password not in repr(server)
    assert password not in str(server.process.args)


def test_values_of_a_failed_statement_are_not_written_to_the_log(server: PostgresServer) -> None:
    write(server, "CREATE TABLE person (number text PRIMARY KEY)")
    write(server, "INSERT INTO person VALUES ('secret-number')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        write(server, "INSERT INTO person VALUES ('secret-number')")

    assert "duplicate key" in server.log_path.read_text()
    assert "secret-number" not in server.log_path.read_text()


def test_a_folder_in_which_a_server_works_is_refused_and_the_server_is_left_alone(
    server: PostgresServer, server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders.lock_folder, "__kwdefaults__", {"grace": folders.LOCK_POLL})

    with pytest.raises(FolderInUseError, match="Stop that one first"):
        start_postgres(server_folder / "postgres", durable=False)

    assert ask(server, "SELECT 1") == 1


def test_a_pid_file_whose_number_another_program_has_now_does_not_block_a_start(server_folder: Path) -> None:
    first = start_postgres(server_folder / "postgres", durable=False)
    first.kill()
    pid_file = first.data_dir / "cluster" / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"], user=pid_file.stat().st_uid if os.geteuid() == 0 else None) as stranger:
        pid_file.write_text(pid_file.read_text().replace(str(first.pid), str(stranger.pid), 1))
        with start_postgres(server_folder / "postgres", durable=False) as second:
            assert ask(second, "SELECT 1") == 1
        stranger.kill()


def test_data_of_another_major_version_is_refused_with_what_to_do(server_folder: Path) -> None:
    start_postgres(server_folder / "postgres", durable=False).stop()
    (server_folder / "postgres" / "cluster" / "PG_VERSION").write_text("12\n")

    with pytest.raises(ForeignDataError, match=r"made by Postgres 12.*Set PG_BIN"):
        start_postgres(server_folder / "postgres", durable=False)


def test_a_program_that_is_not_there_is_named(server_folder: Path) -> None:
    with pytest.raises(BinaryNotFoundError, match="PG_BIN names"):
        start_postgres(server_folder / "postgres", durable=False, environment={"PG_BIN": "/nowhere"})


def test_a_taken_port_is_told_in_one_sentence(server: PostgresServer, server_folder: Path) -> None:
    with pytest.raises(ServerStartError, match=f"Port {server.port} of the loopback is taken"):
        start_postgres(server_folder / "another", durable=False, port=server.port)


def test_a_server_in_a_closed_folder_is_put_where_it_can_run_and_linked_from_there(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)

    with start_postgres(closed / "data" / "postgres", durable=False) as server:
        assert ask(server, "SELECT 1") == 1
        assert (closed / "data" / "postgres").resolve() == server.data_dir.resolve()

    with start_postgres(closed / "data" / "postgres", durable=False) as again:
        assert again.data_dir == server.data_dir
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(server.data_dir.parent)  # where it was put is not below `tmp_path`


PARENT_THAT_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from campaigns.runtime.embedded import start_postgres
server = start_postgres(Path(sys.argv[1]), durable=False)
print(server.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_ends_when_its_parent_is_killed_and_its_folder_is_free_again(server_folder: Path) -> None:
    command = [sys.executable, "-c", PARENT_THAT_IS_KILLED, str(server_folder / "postgres")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == -signal.SIGKILL
    with start_postgres(server_folder / "postgres", durable=False) as server:  # waits for the orphan to be gone
        assert ask(server, "SELECT 1") == 1
    assert not is_alive(int(done.stdout))
