"""A whole installation in front of simulated phones: web, dispatch workers, control worker, beat."""

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from sqlalchemy import Engine

from benchmarks.dialing.product import expand, workers
from benchmarks.house import House, Phones, a_house, phones
from campaigns.runtime.embedded.launch import LOOPBACK, free_port
from campaigns.runtime.embedded.processes import ChildProcess
from campaigns.runtime.installation import has_logged, wait_for
from campaigns.runtime.local_http import answers
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.settings import load_settings
from campaigns.services.control import Control
from campaigns.simulator.door import read_arrivals
from campaigns.store.engine import open_engine

SETTINGS = """\
publicUrl = "{web_url}"
[accounts.bench]
provider = "vapi"
baseUrl = "{url}"
simulator = true
concurrency = {concurrency}
callsPerSecond = {rate}
ringTimeout = "60s"
maxDuration = "1h"
webhooks = {webhooks}
"""
SURE_ANSWER = (
    'rates={"answered":1,"voicemail":0,"no_answer":0,"busy":0,"rejected":0,"invalid_number":0,"provider_error":0,'
    '"pipeline_error":0,"config_error":0}'
)
_direct = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Limits:
    """What the account may do."""

    rate: float
    concurrency: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Dial:
    """One call as the provider saw it. Seconds since the epoch on its own clock, kept to the millisecond."""

    line: str
    created_at: float
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class Stack:
    """What runs, and its switches."""

    house: House
    provider: Phones
    database: Engine
    control: Control
    children: Sequence[ChildProcess]
    """The dispatch workers first, then control worker and beat."""
    web_url: str
    door_url: str
    """The provider's address, as far as our account knows."""
    arrived: Path

    def dispatchers(self) -> Sequence[ChildProcess]:
        return [child for child in self.children if "dispatch" in child.name]

    def set_limits(self, limits: Limits, *, webhooks: bool) -> None:
        """As whoever edits `ringfence.toml` and runs `ringfence migrate`."""
        settings = SETTINGS.format(
            web_url=self.web_url,
            url=self.door_url,
            rate=limits.rate,
            concurrency=limits.concurrency,
            webhooks=str(webhooks).lower(),
        )
        prepare(self.house, settings)

    def creates(self) -> list[float]:
        """When each create reached the provider's machine, by its kernel's clock; in order."""
        return [each.at for each in read_arrivals(self.arrived) if (each.method, each.path) == ("POST", "/call")]

    def dials(self) -> list[Dial]:
        """Every call that the provider ever made, oldest first."""
        with _direct.open(f"{self.provider.url}/simulator/calls", timeout=60) as answer:
            return [_dial(json.loads(line)) for line in answer]


def _dial(row: dict[str, Any]) -> Dial:
    return Dial(row["line"], _seconds(row["createdAt"]), row["endedAt"] and _seconds(row["endedAt"]))


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def prepare(house: House, settings: str) -> None:
    """Write the settings and make them known."""
    (house.home / "ringfence.toml").write_text(settings, encoding="utf-8")
    prepare_database(house.postgres.url, load_settings(dict(house.programs.beat().environment), cwd=house.home))


@contextlib.contextmanager
def a_stack(
    limits: Limits,
    *,
    campaigns: int,
    calls: int,
    processes: int,
    phone_settings: Sequence[str],
    webhooks: bool = False,
) -> Iterator[Stack]:
    """Ready to dial `campaigns` campaigns of `calls` customers each, and stopped; `control.start()` begins."""
    with contextlib.ExitStack() as stack:
        house = stack.enter_context(a_house())
        provider = stack.enter_context(phones(house, *phone_settings))
        port = free_port()
        web_url = f"http://{LOOPBACK}:{port}"
        database = open_engine(house.postgres.url, pool_size=3)
        stack.callback(database.dispose)
        control = Control(database, operator="bench", wait=lambda _: None)
        door_url, arrived = stack.enter_context(_door(house, provider))
        made = Stack(house, provider, database, control, [], web_url, door_url, arrived)
        made.set_limits(limits, webhooks=webhooks)
        control.stop_all()
        for number in range(campaigns):
            expand(house, database, name=f"bench-{number}", calls=calls, first=number * calls)
        if webhooks:
            stack.enter_context(_web(house, port, web_url))
        children = stack.enter_context(workers(house, processes))
        yield replace(made, children=children)


@contextlib.contextmanager
def _door(house: House, provider: Phones) -> Iterator[tuple[str, Path]]:
    port, arrived = free_port(), house.home / "arrivals.txt"
    simulator = house.programs.simulator()
    door = replace(
        simulator,
        name="door",
        command=[
            *(sys.executable, "-m", "campaigns.simulator.door", "--port", str(port)),
            *("--to", str(urlsplit(provider.url).port), "--log", str(arrived)),
        ],
        log_path=simulator.log_path.with_name("door.log"),
    )
    door.start()
    try:
        wait_for(door, has_logged(door, str(port)))
        yield f"http://{LOOPBACK}:{port}", arrived
    finally:
        door.stop()


@contextlib.contextmanager
def _web(house: House, port: int, url: str) -> Iterator[None]:
    web = house.programs.web(host=LOOPBACK, port=port)
    web.start()
    try:
        wait_for(web, lambda: answers(f"{url}/ready"))
        yield
    finally:
        web.stop()
