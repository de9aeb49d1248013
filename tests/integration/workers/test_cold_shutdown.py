"""SIGQUIT, as a second Ctrl+C or Celery's `REMAP_SIGTERM` sends it: a worker in a hurry still hears its answers."""

import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import Engine

from campaigns.runtime.addresses import Addresses
from campaigns.runtime.embedded.processes import ChildProcess
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.programs import Programs
from campaigns.runtime.publisher import publisher_at
from campaigns.runtime.settings import load_settings
from campaigns.services.feed import Feed
from tests.integration.engine.conftest import World
from tests.integration.workers.watching import eventually, running


class SlowProvider(ThreadingHTTPServer):
    """Takes every request at once, and answers when it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Creates)
        self.taken, self.answer = threading.Event(), threading.Event()


class _Creates(BaseHTTPRequestHandler):
    server: SlowProvider

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.set()
        self.server.answer.wait(30)
        body = b'{"id": "call-1"}'
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Not on the tests' output."""


@pytest.fixture
def provider() -> Iterator[SlowProvider]:
    with SlowProvider() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.answer.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def worker(
    tmp_path: Path, database_url: str, valkey_url: str, valkey: redis.Redis, provider: SlowProvider
) -> Iterator[ChildProcess]:
    (tmp_path / "ringfence.toml").write_text(
        f"""
        [accounts.sim]
        provider = "vapi"
        baseUrl = "http://127.0.0.1:{provider.server_address[1]}"
        simulator = true
        concurrency = 10
        callsPerSecond = 10.0
        """
    )
    prepare_database(database_url, load_settings({"RINGFENCE_HOME": str(tmp_path)}, cwd=tmp_path))
    addresses = Addresses(database_url, valkey_url)
    yield from running(Programs(home=tmp_path, addresses=addresses, environment=os.environ).dispatch_worker())


def test_answers_to_what_is_under_way_come_on_record(
    worker: ChildProcess, provider: SlowProvider, database: Engine, valkey_url: str
) -> None:
    world = World(database, lambda work: pytest.fail("dialed from the test itself"))
    call = world.call(world.campaign(), "+12125550101")
    Feed(database, publisher_at(valkey_url)).run(world.one("SELECT limit_group FROM accounts"))
    assert provider.taken.wait(20), worker.tail_log()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGQUIT)
    assert eventually(lambda: "Soft Shutdown" in worker.tail_log() or not worker.is_running)
    provider.answer.set()
    assert eventually(lambda: not worker.is_running)
    assert world.state(call) == "in_progress", worker.tail_log()
