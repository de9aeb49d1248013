"""Expansion of large lists: read, validate, zones, duplicates, consents, all on record; and its control beside it.

    python -m benchmarks.expansion.product --rows 10000 100000 1000000
    python -m benchmarks.expansion.product --rows 20000 --control
    python -m benchmarks.expansion.product --rows 100000 --spelled 0.3 --abroad 0.3

Each reading is a process of its own, so that its peak of memory is its own; Postgres is durable, as in production.
The time is that of the whole run, from the first byte of the list until its calls may be dialed.
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.expansion.people import write_people
from benchmarks.house import House, Meter, a_house, show
from campaigns.calls.clock import CampaignClock
from campaigns.definition import parse_definition
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.settings import load_settings
from campaigns.services.submit import Submit
from campaigns.store.engine import open_engine

STARTS_AT = datetime(2026, 12, 2, 13, 0, tzinfo=UTC)
"""A Wednesday, eight in the morning in New York: openings differ by zone."""
SETTINGS = """\
[accounts.bench]
provider = "vapi"
baseUrl = "http://127.0.0.1:9"
simulator = true
concurrency = 1000
callsPerSecond = 100
webhooks = false
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
  columns: {{number: phone, name: full_name, state: st, zip: zip, externalId: crm_id, consentLevel: consent,
    consentAt: consented_at, consentSource: form}}
window: {{earliestAt: 2026-12-02T08:00:00-05:00, latestAt: 2026-12-12T20:00:00-05:00}}
callingHours: {{mon-fri: 09:00-19:00, sat: 10:00-16:00}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--spelled", type=float, default=0.0, help="share of numbers written as people write them")
    parser.add_argument("--abroad", type=float, default=0.0, help="share of numbers outside +1")
    parser.add_argument("--control", action="store_true", help="the usual way beside it, on the same rows")
    options = parser.parse_args()
    for rows in options.rows:
        _measure(rows, options)


def _measure(rows: int, options: argparse.Namespace) -> None:
    """In a house of its own, so that no list finds the rows of another."""
    with a_house() as house:
        (house.home / "ringfence.toml").write_text(SETTINGS, encoding="utf-8")
        prepare_database(house.postgres.url, load_settings(dict(house.programs.beat().environment), cwd=house.home))
        database = open_engine(house.postgres.url, pool_size=2)
        try:
            _compare(house, database, rows, options)
        finally:
            database.dispose()


def _compare(house: House, database: Engine, rows: int, options: argparse.Namespace) -> None:
    people = house.home / f"people-{rows}.csv"
    write_people(people, count=rows, spelled=options.spelled, abroad=options.abroad)
    mixture = {"rows": rows, "spelled": options.spelled, "abroad": options.abroad}
    run_id = _submitted(database, people, name=f"bench-{rows}-{time.time_ns()}")
    ours = _reading(house, "benchmarks.expansion.one_run", str(run_id), rows=rows)
    show("expansion", **mixture, **ours, **_books(database, run_id))
    if options.control:
        usual = _reading(house, "benchmarks.expansion.usual_way", str(people), rows=rows)
        ratios = {f"ratio_{key}": round(usual[key] / ours[key], 1) for key in ("seconds", "cpu_us_per_row")}
        show("control: csv.DictReader, pydantic, phonenumbers, ORM", **mixture, **usual, **ratios)


def _submitted(database: Engine, people: Path, *, name: str) -> int:
    source = CAMPAIGN.format(name=name, file=people.name)
    submitted = Submit(database).run(
        parse_definition(source.encode(), file="bench.yaml"),
        source_text=source,
        customers_path=people,
        operator="bench",
        clock=CampaignClock(campaign_at=STARTS_AT, machine_at=datetime.now(UTC), speed=1),
    )
    assert submitted.run_id is not None
    return submitted.run_id


def _reading(house: House, module: str, argument: str, *, rows: int) -> dict[str, Any]:
    """Run it in a process; what it and Postgres used."""
    meter = Meter({"postgres": house.postgres.pid})
    command = [sys.executable, "-m", module, house.postgres.url, argument]
    done = subprocess.run(
        command, env=dict(house.programs.beat().environment), check=True, stdout=subprocess.PIPE, text=True
    )
    told = json.loads(done.stdout)
    cpu = {"process": told["cpu_seconds"], **meter.read()}
    return {
        "seconds": round(told["seconds"], 2),
        "rows_per_second": round(rows / told["seconds"]),
        "cpu_us_per_row": round(1e6 * sum(cpu.values()) / rows, 1),
        "cpu_us_per_row_by_part": {name: round(1e6 * value / rows, 1) for name, value in cpu.items()},
        "peak_mib": round(told["peak_mib"], 1),
    }


def _books(database: Engine, run_id: int) -> dict[str, Any]:
    """What became of the rows: nobody may be missing, or the time means nothing."""
    with database.begin() as connection:
        row = connection.execute(
            text("""
                SELECT state, rows_read, rows_rejected,
                    (SELECT count(*) FROM calls WHERE run_id = :id AND state = 'scheduled') AS calls,
                    (SELECT count(*) FROM consents WHERE run_id = :id) AS consents
                FROM runs WHERE id = :id
            """),
            {"id": run_id},
        ).one()
    assert row.state == "active", row
    assert row.rows_read == row.rows_rejected + row.calls, row
    return {"rejected": row.rows_rejected, "calls": row.calls, "consents": row.consents}


if __name__ == "__main__":
    main()
