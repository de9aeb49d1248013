"""Webhooks that wait in the inbox, applied by one control worker: matched, folded into attempts, outcomes recorded.

    python -m benchmarks.webhooks.processing --calls 5000
    python -m benchmarks.webhooks.processing --calls 2000 --one-by-one     the control: a transaction a receipt

`--calls` calls talk when the clock starts, and of each the inbox holds three receipts: answered, ended, and a report
with its transcript (10 kB as it came in). Conversations are kept, as they are by default.
"""

import argparse
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.dialing.product import expand
from benchmarks.house import House, Meter, a_house, memory_mib, show
from benchmarks.webhooks.bodies import ACCOUNT, SECRET, SECRET_VARIABLE, report, update
from benchmarks.webhooks.intake import SETTINGS
from campaigns.providers.contract import Receipt
from campaigns.providers.vapi.webhook import parse_webhook
from campaigns.runtime.installation import has_logged, wait_for
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.publisher import publisher_at
from campaigns.runtime.settings import load_settings
from campaigns.runtime.wiring import Runtime
from campaigns.services import inbox
from campaigns.services.control import Control
from campaigns.store.engine import open_engine

RECEIPTS_A_CALL = 3
GROUP = 200
POLL = 0.2
STANDSTILL = 30.0

_UNDER_WAY = (
    """
    UPDATE calls SET state = 'in_progress', epoch = 1, line = 'line-1', attempts = 1, requests = 1
    """,
    """
    INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
        campaign_at, claimed_at, send_by, requested_at, provider_call_id, check_at)
    SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, id, 1, run_id, campaign_id, :account, number,
        line, 1, 'in_progress', clock_timestamp(), clock_timestamp(), clock_timestamp(), clock_timestamp(),
        '10000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'), clock_timestamp() + interval '1 hour'
    FROM (SELECT *, row_number() OVER (ORDER BY id) - 1 AS n FROM calls) numbered
    """,
    """
    INSERT INTO live (number, attempt_id, call_id, campaign_id, limit_group, hold_until)
    SELECT t.number, t.id, t.call_id, t.campaign_id, a.limit_group, clock_timestamp() + interval '1 hour'
    FROM attempts t JOIN accounts a ON a.name = t.account
    """,
    "ANALYZE",
)
"""All calls talk; ids as in `bodies.py`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5_000)
    parser.add_argument("--size", type=int, default=10_000, help="bytes of a report")
    parser.add_argument("--one-by-one", action="store_true", help="a transaction a receipt, in this process")
    options = parser.parse_args()
    os.environ[SECRET_VARIABLE] = SECRET
    with a_house() as house:
        (house.home / "ringfence.toml").write_text(SETTINGS, encoding="utf-8")
        prepare_database(house.postgres.url, load_settings(dict(house.programs.beat().environment), cwd=house.home))
        database = open_engine(house.postgres.url, pool_size=2)
        Control(database, operator="bench", wait=lambda _: None).stop_all()
        expand(house, database, name="hooks", calls=options.calls)
        fill(database, options)
        work = one_by_one if options.one_by_one else by_worker
        show("webhooks: applied", one_by_one=options.one_by_one, **work(house, database, options.calls))
        database.dispose()


def fill(database: Engine, options: argparse.Namespace) -> None:
    """Set the calls under way, and store what the provider tells of them, in the order of its coming."""
    with database.begin() as connection:
        for statement in _UNDER_WAY:
            connection.execute(text(statement), {"account": ACCOUNT} if ":account" in statement else {})
    door = inbox.Intake(database)
    receipts = list(_receipts(options.calls, options.size))
    for start in range(0, len(receipts), GROUP):
        door.accept_all([(ACCOUNT, receipt) for receipt in receipts[start : start + GROUP]])
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE inbox"))


def _receipts(calls: int, size: int) -> Iterator[Receipt]:
    """Those of some hundred calls at a time, for so many talk at once."""
    for start in range(0, calls, 100):
        numbers = range(start, min(start + 100, calls))
        for status in ("in-progress", "ended"):
            yield from (parse_webhook(update(number, status=status)) for number in numbers)
        yield from (parse_webhook(report(number, size=size)) for number in numbers)


def by_worker(house: House, database: Engine, calls: int) -> dict[str, Any]:
    """Figures of one control worker that is asked once."""
    worker = house.programs.control_worker()
    worker.start()
    try:
        wait_for(worker, has_logged(worker, "worker_ready"))
        assert worker.pid is not None
        if (profile := os.environ.get("BENCH_PROFILE")) is not None:
            subprocess.Popen([profile, str(worker.pid)])
        meter = Meter({"control": worker.pid, "postgres": house.postgres.pid})
        commits = _commits(database)
        began = time.monotonic()
        publisher_at(house.valkey.url).request_inbox()
        seconds = _wait_until_applied(database, calls) - began
        figures = _figures(meter.read(), seconds=seconds, calls=calls)
        transactions = (_commits(database) - commits) / (calls * RECEIPTS_A_CALL)
        return figures | {"transactions": round(transactions, 4), "control_memory_mib": round(memory_mib(worker.pid))}
    finally:
        worker.stop()


def one_by_one(house: House, database: Engine, calls: int) -> dict[str, Any]:
    """The same service with batches of one receipt, as a task a webhook would do it."""
    inbox.BATCH = 1
    settings = load_settings(dict(house.programs.beat().environment), cwd=house.home)
    runtime = Runtime(settings, database_url=house.postgres.url, publisher=publisher_at(house.valkey.url))
    meter = Meter({"control": os.getpid(), "postgres": house.postgres.pid})
    began = time.monotonic()
    runtime.inbox.process()
    return _figures(meter.read(), seconds=time.monotonic() - began, calls=calls)


def _figures(used: dict[str, float], *, seconds: float, calls: int) -> dict[str, Any]:
    receipts = calls * RECEIPTS_A_CALL
    return {
        "calls": calls,
        "receipts": receipts,
        "receipts_per_second": round(receipts / seconds, 1),
        "cpu_ms_per_receipt": {name: round(1000 * each / receipts, 3) for name, each in used.items()},
    }


def _wait_until_applied(database: Engine, calls: int) -> float:
    """Raises `RuntimeError` when nothing moves any more, or not everything came to its end."""
    left, moved_at = -1, time.monotonic()
    while (waiting := _count(database, "SELECT count(*) FROM inbox WHERE state IN ('new', 'unmatched')")) > 0:
        if waiting != left:
            left, moved_at = waiting, time.monotonic()
        elif time.monotonic() - moved_at > STANDSTILL:
            raise RuntimeError(f"{waiting} receipts wait, and nothing moves")
        time.sleep(POLL)
    ended = time.monotonic()
    if (final := _count(database, "SELECT count(*) FROM calls WHERE state = 'completed'")) != calls:
        raise RuntimeError(f"{final} of {calls} calls completed")
    return ended


def _count(database: Engine, query: str) -> int:
    with database.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def _commits(database: Engine) -> int:
    with database.begin() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        return _commit_count(connection)


def _commit_count(connection: Any) -> int:
    query = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    return int(connection.execute(text(query)).scalar_one())


if __name__ == "__main__":
    main()
