"""A simulated provider beside a fresh database, and commands run against both."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from campaigns.cli.main import run
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.server import Simulator

SETTINGS = """
publicUrl = "https://calls.example.com"
[accounts.sim]
provider = "vapi"
baseUrl = "{url}"
simulator = true
concurrency = 5
callsPerSecond = 5.0
"""


@dataclass
class Served:
    """A simulator on a thread of its own. `on_loop` runs a function there, where alone it may be touched."""

    simulator: Simulator
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return self.simulator.base_url

    def on_loop(self, work: Callable[[], Any]) -> Any:
        async def called() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(20)

    @property
    def stats(self) -> dict[str, Any]:
        counted: dict[str, Any] = self.on_loop(self.simulator.simulation.ledger.snapshot)
        return counted


@pytest.fixture
def served() -> Iterator[Served]:
    """A simulated account whose calls go on until somebody ends them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    simulator = Simulator(SimulatorConfig(speed=0.001))
    asyncio.run_coroutine_threadsafe(simulator.start(), loop).result(20)
    yield Served(simulator, loop)
    asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
    loop.close()


class Ringfence:
    """Runs commands; keeps the exit code and the one JSON object."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.said = ""
        """What the last command wrote to stderr."""

    def __call__(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        self._capsys.readouterr()
        code = run([*arguments, "--json"])
        captured = self._capsys.readouterr()
        self.said = captured.err
        return code, json.loads(captured.out.splitlines()[-1])

    def plainly(self, *arguments: str) -> tuple[int, str]:
        """As a person runs it; stdout and stderr together."""
        self._capsys.readouterr()
        code = run([*arguments])
        captured = self._capsys.readouterr()
        return code, captured.out + captured.err


@pytest.fixture
def ringfence(
    tmp_path: Path,
    database_url: str,
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ringfence:
    """Commands of an installation whose only account is the simulated one."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "RINGFENCE_HOME": str(tmp_path),
        "RINGFENCE_OPERATOR": "tester",
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "ringfence.toml").write_text(SETTINGS.format(url=served.url))
    command = Ringfence(capsys)
    assert command("migrate")[0] == 0
    return command
