"""An embedded Valkey: append-only file, no eviction, loopback only, a password nobody has to know.

The folder holds `data/` (Valkey's own), `password`, `server.log` and `lock`.
"""

import os
import signal
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from campaigns.runtime.embedded.account import ServerAccount, server_account
from campaigns.runtime.embedded.binaries import valkey_program
from campaigns.runtime.embedded.folders import kept_password, lock_folder, own_part, server_folder
from campaigns.runtime.embedded.launch import LOOPBACK, begin_log, spawn
from campaigns.runtime.embedded.server import EmbeddedServer, on_some_port, wait_until_ready

READY_TIMEOUT = timedelta(seconds=20)
PROBE_TIMEOUT = timedelta(seconds=2)


class ValkeyServer(EmbeddedServer):
    """A running embedded Valkey. SIGTERM (inherited) makes it write its file and leave."""

    __slots__ = ()


def start_valkey(
    data_dir: Path,
    *,
    port: int | None = None,
    durable: bool = True,
    environment: Mapping[str, str] = os.environ,
) -> ValkeyServer:
    """Start Valkey on `data_dir` and wait until it answers.

    Give `port` to come back where a server of this folder was before, with the URL that its clients hold.
    `durable` keeps the append-only file. Raises an `EmbeddedServerError`.
    """
    account = server_account()
    program = valkey_program(environment, account=account)
    folder = server_folder(data_dir, account)
    lock = lock_folder(folder)
    try:
        password = kept_password(folder, account=account)
        return on_some_port(
            lambda free: _start(
                folder, program=program, account=account, port=free, durable=durable, password=password, lock=lock
            ),
            port=port,
        )
    finally:
        os.close(lock)  # the server has its own copy and holds the lock from now on


def _start(
    folder: Path,
    *,
    program: Path,
    account: ServerAccount | None,
    port: int,
    durable: bool,
    password: str,
    lock: int,
) -> ValkeyServer:
    log_path = folder / "server.log"
    begin_log(log_path)
    process = spawn(
        [str(program), "-"],  # settings come by stdin: a password among the arguments is seen by every user
        environment={"LC_ALL": "C", "TZ": "UTC"},
        log_path=log_path,
        end_signal=signal.SIGTERM,
        account=account,
        cwd=Path("/"),
        lock_descriptor=lock,
        stdin_text=_configuration(
            own_part(folder, "data", account=account), port=port, durable=durable, password=password
        ),
    )
    url = f"redis://:{password}@{LOOPBACK}:{port}/0"
    server = ValkeyServer(process=process, port=port, data_dir=folder, log_path=log_path, url=url)
    wait_until_ready(server, ready=lambda: _answers(url), name="Valkey", timeout=READY_TIMEOUT)
    return server


def _configuration(folder: Path, *, port: int, durable: bool, password: str) -> str:
    settings = {
        "bind": LOOPBACK,
        "port": str(port),
        "requirepass": password,
        "dir": f'"{folder}"',
        "appendonly": "yes" if durable else "no",
        "save": '""',  # the append-only file is enough; a snapshot forks the process for nothing
        "maxmemory-policy": "noeviction",  # a full broker must refuse a message, not drop another
        "daemonize": "no",
    }
    return "".join(f"{key} {value}\n" for key, value in settings.items())


def _answers(url: str) -> bool:
    # Without repeats of its own: the caller repeats, and looks in between whether the server has ended.
    once = Retry(NoBackoff(), 0)
    with redis.Redis.from_url(url, socket_timeout=PROBE_TIMEOUT.total_seconds(), retry=once) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:  # not listening yet, or still loading its file
            return False
