"""Webhooks taken in by one web process: token and signature looked at, parsed, committed to the inbox, then answered.

    python -m benchmarks.webhooks.intake --count 8000
    python -m benchmarks.webhooks.intake --app benchmarks.webhooks.usual:app     the control

Bodies are end-of-call reports of 10 kB, every one new. First the ceiling, then what a webhook waits for its answer at
half of it and at 1,500 a second. The senders are a process of their own and use the same cores, so processor time is
the steadier figure. Postgres commits to disk.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.house import House, Meter, a_house, memory_mib, show
from benchmarks.webhooks.bodies import ACCOUNT, SECRET, SECRET_VARIABLE, TOKEN
from campaigns.runtime.embedded.launch import LOOPBACK, free_port
from campaigns.runtime.embedded.processes import ChildProcess
from campaigns.runtime.installation import wait_for
from campaigns.runtime.local_http import answers
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.settings import load_settings
from campaigns.store.engine import open_engine

SETTINGS = f"""\
[accounts.{ACCOUNT}]
provider = "vapi"
baseUrl = "http://{LOOPBACK}:9"
simulator = true
concurrency = 1000000
callsPerSecond = 1000.0
ringTimeout = "60s"
maxDuration = "1h"
webhookSecretEnv = "{SECRET_VARIABLE}"
"""
WARM_UP = 300
PROMISED_RATE = 1_500.0
LARGE, LARGE_ONES = 9_500_000, 20
"""Bytes of a large body, just below what is taken, and how many of them: some ten seconds."""
FAR_AWAY = 10_000_000
"""The first number of the large ones, beyond those of the others."""
OURS = "campaigns.web.app:create_app"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=8_000, help="webhooks a round")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--size", type=int, default=10_000, help="bytes of a body")
    parser.add_argument("--app", default=OURS, help="another application than ours: the control")
    options = parser.parse_args()
    os.environ[SECRET_VARIABLE] = SECRET
    with a_house() as house:
        (house.home / "ringfence.toml").write_text(SETTINGS, encoding="utf-8")
        database = prepared(house)
        with web(house, app=options.app) as (process, port):
            intake = Intake(house, database, process, port, options)
            intake.round(WARM_UP)
            ceiling = intake.round(options.count)
            show("webhooks: as fast as they are answered", app=options.app, **ceiling)
            half = ceiling["per_second"] / 2
            show("webhooks: at half of that", app=options.app, **intake.round(options.count // 2, rate=half))
            show("webhooks: at the rate promised", app=options.app, **intake.round(options.count, rate=PROMISED_RATE))
            with intake.large_ones():
                beside = intake.round(options.count // 2, rate=half)
            show("webhooks: at half, beside one body of 9.5 MB after the other", app=options.app, **beside)
        database.dispose()


class Intake:
    """Rounds of new webhooks against one web process."""

    def __init__(
        self, house: House, database: Engine, process: ChildProcess, port: int, options: argparse.Namespace
    ) -> None:
        self._house, self._database, self._process, self._port = house, database, process, port
        self._options = options
        self._campaign = campaign_of(database)
        self._sent = 0

    def round(self, count: int, *, rate: float | None = None) -> dict[str, Any]:
        """Send `count` webhooks; figures of the senders, and processor time a webhook by part."""
        assert self._process.pid is not None
        if rate is None and count > WARM_UP and (profile := os.environ.get("BENCH_PROFILE")) is not None:
            subprocess.Popen([profile, str(self._process.pid)])
        meter = Meter({"web": self._process.pid, "postgres": self._house.postgres.pid})
        figures: dict[str, Any] = json.loads(self._send(count, rate=rate))
        used = {name: round(1000 * seconds / count, 3) for name, seconds in meter.read().items()}
        assert figures["answers"] == {"200": count}, figures
        self._sent += count
        assert stored(self._database) >= self._sent, "answered, and not committed"
        memory = round(memory_mib(self._process.pid))
        return figures | {"offered": rate, "cpu_ms_per_webhook": used, "web_memory_mib": memory}

    @contextlib.contextmanager
    def large_ones(self) -> Iterator[None]:
        """Meanwhile another sender sends large bodies, each as soon as the one before is answered."""
        command = self._command(LARGE_ONES, first=FAR_AWAY, connections=1, size=LARGE)
        with subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True) as sender:
            yield
            told, _ = sender.communicate()
        answers = json.loads(told)["answers"]
        assert answers == {"200": LARGE_ONES}, answers
        assert stored(self._database) == self._sent + LARGE_ONES, "answered, and not committed"

    @property
    def _environment(self) -> dict[str, str]:
        return dict(self._house.programs.beat().environment)

    def _send(self, count: int, *, rate: float | None) -> str:
        size, connections = self._options.size, self._options.connections
        command = self._command(count, first=self._sent, connections=connections, size=size)
        command += [] if rate is None else ["--rate", str(rate)]
        return subprocess.run(command, env=self._environment, stdout=subprocess.PIPE, check=True, text=True).stdout

    def _command(self, count: int, *, first: int, connections: int, size: int) -> list[str]:
        told = {
            "--port": self._port,
            "--path": f"/webhooks/vapi/{ACCOUNT}/{self._campaign}",
            "--first": first,
            "--count": count,
            "--connections": connections,
            "--size": size,
        }
        arguments = [str(word) for pair in told.items() for word in pair]
        return [sys.executable, "-m", "benchmarks.webhooks.senders", *arguments]


def prepared(house: House) -> Engine:
    """The database with our schema, the account and one campaign."""
    prepare_database(house.postgres.url, load_settings(dict(house.programs.beat().environment), cwd=house.home))
    database = open_engine(house.postgres.url, pool_size=2)
    with database.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO campaigns (name, account, webhook_token, lines, created_by)
                VALUES ('hooks', :account, :token, '{line-1}', 'bench')
            """),
            {"account": ACCOUNT, "token": TOKEN},
        )
    return database


@contextlib.contextmanager
def web(house: House, *, app: str = OURS) -> Iterator[tuple[ChildProcess, int]]:
    """One web process, ready, and its port."""
    port = free_port()
    usual = house.programs.web(host=LOOPBACK, port=port)
    words = [app if word == OURS else word for word in usual.command]
    process = replace(usual, command=words)
    process.start()
    try:
        wait_for(process, lambda: answers(f"http://{LOOPBACK}:{port}/health"))
        yield process, port
    finally:
        process.stop()


def campaign_of(database: Engine) -> int:
    """The id of the one campaign."""
    with database.connect() as connection:
        return int(connection.execute(text("SELECT id FROM campaigns")).scalar_one())


def stored(database: Engine) -> int:
    """Rows in the inbox."""
    with database.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM inbox")).scalar_one())


if __name__ == "__main__":
    main()
