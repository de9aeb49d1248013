"""From the message to the request: how long a call waits once it is released, at half of what the machine can do.

    python -m benchmarks.dialing.waiting --rate 450 --seconds 20

Calls come due a few at a time, evenly; a feeder of this process releases them, and the instant at which its messages
are sent is the beginning. The end is when the request left, by the database's clock. The account's own rate is far
above, so nobody waits for a turn.
"""

import argparse
import time
from statistics import quantiles
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.dialing.product import POLL, a_campaign, workers
from benchmarks.house import House, show
from campaigns.runtime.publisher import publisher_at
from campaigns.services.feed import Feed

ACCOUNT_RATE = 2000
"""Calls per second, four times what is offered."""
INTERVAL = 0.025
"""Seconds between releases: a dozen calls each, as a busy account frees its slots."""
PATIENCE = 15.0
"""Seconds for the last answers to be recorded."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=450.0, help="calls that come due in a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds until the provider answers a create")
    parser.add_argument("--processes", type=int, default=2, help="dispatch workers")
    options = parser.parse_args()
    show("from message to request", **measure(**vars(options)))


def measure(*, rate: float, seconds: float, latency: float, processes: int) -> dict[str, Any]:
    """Quantiles of the wait, in milliseconds."""
    with a_campaign(calls=round(rate * seconds), latency=latency, rate=ACCOUNT_RATE) as scene:
        _put_off_all(scene.database)
        with workers(scene.house, processes):
            scene.control.start()
            waits = _offer(scene.database, scene.house, rate=rate, seconds=seconds)
    cuts = quantiles(waits, n=100)
    return {
        "offered_per_second": rate,
        "processes": processes,
        "calls": len(waits),
        "p50_ms": round(1000 * cuts[49], 1),
        "p99_ms": round(1000 * cuts[98], 1),
        "most_ms": round(1000 * max(waits), 1),
    }


def _put_off_all(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE calls SET due_at = due_at + interval '4 hours' WHERE state = 'scheduled'"))


def _offer(database: Engine, house: House, *, rate: float, seconds: float) -> list[float]:
    """Release a few at every interval; returns how long each call waited, in seconds."""
    feed = Feed(database, publisher_at(house.valkey.url))
    group = _limit_group(database)
    sent_at, began, offered = dict[int, float](), time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        if count := int(rate * passed) - offered:
            ids = _come_due(database, count)
            feed.run(group)
            sent_at |= dict.fromkeys(ids, _now(database))
            offered += count
        time.sleep(INTERVAL)
    return _waits(database, sent_at)


def _limit_group(database: Engine) -> str:
    with database.begin() as connection:
        return str(connection.execute(text("SELECT limit_group FROM accounts")).scalar_one())


def _come_due(database: Engine, count: int) -> list[int]:
    with database.begin() as connection:
        return list(
            connection.execute(
                text("""
                    UPDATE calls SET due_at = due_at - interval '4 hours' WHERE id IN (
                        SELECT id FROM calls WHERE state = 'scheduled' ORDER BY due_at DESC, id LIMIT :count)
                    RETURNING id
                """),
                {"count": count},
            ).scalars()
        )


def _now(database: Engine) -> float:
    with database.begin() as connection:
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


def _waits(database: Engine, sent_at: dict[int, float]) -> list[float]:
    deadline = time.monotonic() + PATIENCE
    while len(left_at := _left_at(database)) < len(sent_at):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(left_at)} of {len(sent_at)} calls were dialed")
        time.sleep(POLL)
    return [left_at[call_id] - at for call_id, at in sent_at.items()]


def _left_at(database: Engine) -> dict[int, float]:
    with database.begin() as connection:
        rows = connection.execute(
            text("""
                SELECT call_id, min(extract(epoch FROM requested_at)) AS at FROM attempts
                WHERE requested_at IS NOT NULL GROUP BY call_id
            """)
        )
        return {row.call_id: float(row.at) for row in rows}


if __name__ == "__main__":
    main()
