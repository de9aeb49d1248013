"""The whole product under load: gate, decision records and hash chain on, from released calls to recorded answers.

    python -m benchmarks.dialing.product --calls 20000 --latency 0.05 --processes 2

A campaign of `--calls` customers is expanded beforehand; then `start` is given and the clock runs from the provider's
first create to its last. The account's limits are set out of the way, so the figure is what the machine can do. Calls
stay in progress after their create: how they end is the webhooks' benchmark.
"""

import argparse
import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.dialing.people import write_people
from benchmarks.house import House, Meter, Phones, a_house, memory_mib, phones, show
from campaigns.calls.clock import CampaignClock
from campaigns.definition import parse_definition
from campaigns.runtime.embedded.processes import ChildProcess, stop_all
from campaigns.runtime.installation import has_logged, wait_for
from campaigns.runtime.law import gatekeeper
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.settings import load_settings
from campaigns.services.control import Control
from campaigns.services.expand import Expand
from campaigns.services.submit import Submit
from campaigns.store.engine import open_engine

STARTS_AT = datetime(2026, 12, 2, 18, 0, tzinfo=UTC)
"""A Wednesday, one o'clock in New York and ten in Los Angeles."""
SETTINGS = """\
publicUrl = "http://127.0.0.1:9"

[accounts.bench]
provider = "vapi"
baseUrl = "{url}"
simulator = true
concurrency = 1000000
callsPerSecond = {rate}
ringTimeout = "60s"
maxDuration = "1h"
"""
CAMPAIGN = """\
campaign: {name}
purpose: telemarketing
seller: Example Energy, Inc.
account: bench
assistant: {{id: 00000000-0000-4000-8000-000000000001, variables: {{customer: "{{name}}", plan: "{{plan}}"}}}}
lines: {{pool: [line-1, line-2]}}
customers:
  file: {file}
  defaultRegion: US
  columns: {{number: phone, name: full_name, consentLevel: consent, consentAt: consented_at, consentSource: form}}
window: {{earliestAt: {starts_at}, latestAt: {ends_at}}}
retries: {{maxAttempts: 1}}
"""
SLOW_CALLS = (
    "queued=[0,0]", "ring=[3000,3000]", "webhooks.enabled=false", 'rates={"answered":1,"voicemail":0,"no_answer":0,'
    '"busy":0,"rejected":0,"invalid_number":0,"provider_error":0,"pipeline_error":0,"config_error":0}',
)  # fmt: skip
"""The simulated phones ring for an hour: nothing but creates is asked of the simulator."""
POLL = 0.25
"""Seconds between looks: each is a transaction that reads the table of attempts."""
STANDSTILL = 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds until the provider answers a create")
    parser.add_argument("--processes", type=int, default=2, help="dispatch workers")
    parser.add_argument("--rate", type=float, default=2000.0, help="the account's calls per second")
    options = parser.parse_args()
    show("product", **measure(**vars(options)))


def measure(*, calls: int, latency: float, processes: int, rate: float) -> dict[str, Any]:
    """Dials a second and what each cost; `latency` in seconds."""
    with a_campaign(calls=calls, latency=latency, rate=rate) as scene, workers(scene.house, processes) as children:
        return _run(scene, children, calls=calls, latency=latency)


@dataclass(frozen=True, slots=True)
class Scene:
    """A campaign whose list is read, in front of simulated phones; all dialing is stopped until `control.start()`."""

    house: House
    provider: Phones
    database: Engine
    control: Control


@contextlib.contextmanager
def a_campaign(*, calls: int, latency: float, rate: float) -> Iterator[Scene]:
    """`latency`: seconds until the provider answers a create; `rate`: the account's calls per second."""
    with a_house() as house, phones(house, f"answer_latency=[{latency},{latency}]", *SLOW_CALLS) as provider:
        (house.home / "ringfence.toml").write_text(SETTINGS.format(url=provider.url, rate=rate), encoding="utf-8")
        prepare_database(house.postgres.url, load_settings(dict(house.programs.beat().environment), cwd=house.home))
        database = open_engine(house.postgres.url, pool_size=2)
        try:
            control = Control(database, operator="bench", wait=lambda _: None)
            control.stop_all()
            expand(house, database, name="bench", calls=calls)
            yield Scene(house, provider, database, control)
        finally:
            database.dispose()


def expand(house: House, database: Engine, *, name: str, calls: int, first: int = 0) -> int:
    """Submit a campaign and read its list; returns the campaign's id."""
    people = house.home / f"{name}.csv"
    write_people(people, count=calls, first=first)
    source = CAMPAIGN.format(
        name=name,
        file=people.name,
        starts_at=STARTS_AT.isoformat(),
        ends_at=(STARTS_AT + timedelta(hours=5)).isoformat(),
    )
    submitted = Submit(database).run(
        parse_definition(source.encode(), file=f"{name}.yaml"),
        source_text=source,
        customers_path=people,
        operator="bench",
        clock=CampaignClock(campaign_at=STARTS_AT, machine_at=datetime.now(UTC), speed=1),
    )
    with database.begin() as connection:
        runs = connection.execute(
            text("SELECT id FROM runs WHERE campaign_id = :id"), {"id": submitted.campaign_id}
        ).scalars()
        run_ids = list(runs)
    for run_id in run_ids:
        Expand(database, gatekeeper()).run(run_id)
    return submitted.campaign_id


@contextlib.contextmanager
def workers(house: House, processes: int) -> Iterator[Sequence[ChildProcess]]:
    """Dispatch workers, a control worker and beat, ready to work."""
    dispatchers = [
        replace(
            house.programs.dispatch_worker(),
            name=f"worker-dispatch-{number}",
            command=[
                word.replace("dispatch@", f"dispatch-{number}@") for word in house.programs.dispatch_worker().command
            ],
            log_path=house.home / "logs" / f"dispatch-{number}.log",
        )
        for number in range(processes)
    ]
    children = [*dispatchers, house.programs.control_worker(), house.programs.beat()]
    try:
        for child in children:
            child.start()
        _give_cores(dispatchers)
        for child in children[:-1]:
            wait_for(child, has_logged(child, "worker_ready"))
        yield children
    finally:
        stop_all(children, timedelta(seconds=10))


def _give_cores(dispatchers: Sequence[ChildProcess]) -> None:
    """A core each, as docker-compose.yml advises, before they have threads, which inherit it: one interpreter uses no
    more, and its threads lose a fifth of their time where each wakes on another core."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    for number, child in enumerate(dispatchers):
        assert child.pid is not None
        os.sched_setaffinity(child.pid, {cores[number % len(cores)]})


def _run(scene: Scene, children: Sequence[ChildProcess], *, calls: int, latency: float) -> dict[str, Any]:
    house, provider, database = scene.house, scene.provider, scene.database
    pids = {child.name: child.pid for child in children if child.pid is not None}
    meter = Meter({**pids, "simulator": provider.pid, "postgres": house.postgres.pid, "valkey": house.valkey.pid})
    commits = _commits(database)
    if (profile := os.environ.get("BENCH_PROFILE")) is not None:
        subprocess.Popen([profile, str(pids["worker-dispatch-0"]), str(pids["worker-control"])])
    scene.control.start()
    started = _until(lambda: provider.stats()["dials"] > 0, database=database)
    seconds = _wait_for_records(database, calls, started=started) - started
    used = meter.read()
    stats = provider.stats()
    dials = stats["dials"]
    simulator = used.pop("simulator")
    per_dial = {name: round(1000 * value / dials, 3) for name, value in used.items()}
    return {
        "calls": calls,
        "latency_s": latency,
        "dials": dials,
        "double_dials": stats["double_dials"],
        "dials_per_second": round(dials / seconds, 1),
        "peak_in_any_second": stats["dials_max_in_any_second"],
        "cpu_ms_per_dial": round(sum(per_dial.values()), 3),
        "cpu_ms_per_dial_by_part": per_dial,
        "simulator_cpu_ms_per_dial": round(1000 * simulator / dials, 3),
        "permits_per_dial": _permits(database) / dials,
        "transactions_per_dial": round((_commits(database) - commits) / dials, 3),
        "memory_mib": {child.name: round(memory_mib(child.pid)) for child in children if child.pid is not None},
    }


def _wait_for_records(database: Engine, calls: int, *, started: float) -> float:
    """When the last answer was on record. Raises `RuntimeError` when nothing moves any more."""
    seen, moved_at = 0, time.monotonic()
    while (recorded := _recorded(database)) < calls:
        if recorded > seen:
            seen, moved_at = recorded, time.monotonic()
        elif time.monotonic() - moved_at > STANDSTILL:
            raise RuntimeError(f"{recorded} of {calls} recorded, and nothing moves: {_states(database)}")
        time.sleep(POLL)
    return time.monotonic()


def _states(database: Engine) -> list[tuple[Any, ...]]:
    with database.begin() as connection:
        found = connection.execute(text("SELECT state, reason, count(*) FROM calls GROUP BY 1, 2"))
        refused = connection.execute(text("SELECT verdict, rule_id, count(*) FROM decisions GROUP BY 1, 2"))
        tries = connection.execute(text("SELECT state, detail, count(*) FROM attempts GROUP BY 1, 2"))
        return [*map(tuple, found), *map(tuple, refused), *map(tuple, tries)]


def _until(condition: Any, *, database: Engine) -> float:
    began = time.monotonic()
    while not condition():
        time.sleep(POLL)
        if time.monotonic() - began > STANDSTILL:
            raise RuntimeError(f"nothing was dialed: {_states(database)}")
    return time.monotonic()


def _recorded(database: Engine) -> int:
    """Attempts whose answer is on record. An index of open attempts makes this cheap enough to ask often."""
    with database.begin() as connection:
        return int(
            connection.execute(
                text("SELECT count(*) FROM attempts WHERE state NOT IN ('dialing', 'not_dialed')")
            ).scalar_one()
        )


def _permits(database: Engine) -> int:
    with database.begin() as connection:
        return int(connection.execute(text("SELECT count(*) FROM attempts")).scalar_one())


def _commits(database: Engine) -> int:
    with database.begin() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        return int(
            connection.execute(
                text("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()")
            ).scalar_one()
        )


if __name__ == "__main__":
    main()
