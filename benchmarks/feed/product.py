"""What a pass of the feed costs, by how much lies around it.

    python -m benchmarks.feed.product --waiting 10000 1000000 --around 1000000

For each number of waiting calls: beat's tick while nothing is due, the pass that follows a call's end then, and one
that releases 500. Around them lie a paused
campaign all of whose calls are due, a finished one with its attempts, one with a budget of dials nearly used up, and
calls whose opening has just lapsed. Processor time is that of the feed and of its own server process; the time on the
clock is the median pass.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
from sqlalchemy import Engine, text

from benchmarks.feed.tables import ACCOUNT, add_attempts, add_calls, add_campaign, fill_account, settle
from benchmarks.house import a_house, show
from campaigns.services.feed import Feed
from campaigns.services.ports import CallRef
from campaigns.store.engine import open_engine
from campaigns.store.migrate import upgrade

EMPTY, RELEASES = 200, 10
WARM_UP = 5


@dataclass
class Collected:
    """A publisher that keeps count; the queue is always empty."""

    calls: int = 0
    feeds: list[str] = field(default_factory=list)

    def dispatch(self, group: Sequence[CallRef], *, campaign_id: int) -> None:
        self.calls += len(group)

    def request_feed(self, limit_group: str) -> None:
        self.feeds.append(limit_group)

    def backlog(self) -> int:
        return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--around", type=int, default=0, help="rows of each campaign that lies around")
    parser.add_argument("--finished", type=int, default=0, help="calls of the finished one, if they are to be others")
    options = parser.parse_args()
    for waiting in options.waiting:
        _measure(waiting, around=0, finished=0)
        if options.around:
            _measure(waiting, around=options.around, finished=options.finished)


def _measure(waiting: int, *, around: int, finished: int) -> None:
    with a_house() as house:
        engine = open_engine(house.postgres.url, pool_size=1)
        try:
            upgrade(engine)
            fill_account(engine)
            add_calls(engine, add_campaign(engine, "waiting"), waiting)
            if around:
                _surround(engine, around, finished=finished or around)
            settle(engine)
            size = {"waiting": waiting, "around": around, "finished": finished or around}
            feed = Feed(engine, Collected())
            show("feed: a tick, nothing due", **size, **_cost(engine, EMPTY, lambda: _tick(feed), expected=0))
            show("feed: a pass, nothing due", **size, **_cost(engine, EMPTY, lambda: _pass(feed), expected=0))
            _three_hours_later(engine)
            cost = _cost(engine, RELEASES, lambda: _pass(feed), expected=500, after=_taken)
            show("feed: a pass that releases 500", **size, **cost)
        finally:
            engine.dispose()


def _surround(engine: Engine, rows: int, *, finished: int) -> None:
    add_calls(engine, add_campaign(engine, "paused", state="paused"), rows, due="-30 minutes")
    run_id = add_campaign(engine, "finished")
    add_calls(engine, run_id, finished, state="completed")
    add_attempts(engine, run_id, rows)
    with engine.begin() as connection:
        connection.execute(text("UPDATE runs SET state = 'finished' WHERE id = :id"), {"id": run_id})
    add_attempts(engine, add_campaign(engine, "budget", budget=rows), rows)
    add_calls(engine, add_campaign(engine, "lapsed"), rows, due="-30 minutes", closes="-1 minute")


def _three_hours_later(engine: Engine) -> None:
    """On the campaign's own clock: what waits is due now, without a single row being written."""
    with engine.begin() as connection:
        connection.execute(
            text("""
                UPDATE campaigns SET clock_machine_at = clock_timestamp(),
                    clock_campaign_at = clock_timestamp() + interval '3 hours'
                WHERE name = 'waiting'
            """)
        )


def _taken(engine: Engine) -> None:
    """As if workers had dialed what was released, and every call had ended."""
    with engine.begin() as connection:
        connection.execute(
            text("""
                UPDATE calls SET state = 'completed', reason = 'answered', final_at = clock_timestamp()
                WHERE state = 'queued'
            """)
        )
        connection.execute(text("UPDATE accounts SET released_at = NULL"))


def _tick(feed: Feed) -> int:
    """What the tick's task does."""
    return sum(feed.run(limit_group).released for limit_group in feed.limit_groups())


def _pass(feed: Feed) -> int:
    return feed.run(ACCOUNT).released


def _cost(
    engine: Engine,
    passes: int,
    work: Callable[[], int],
    *,
    expected: int,
    after: Callable[[Engine], None] = lambda _: None,
) -> dict[str, Any]:
    """Of one time, in milliseconds."""
    with engine.connect() as connection:
        server = psutil.Process(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
    ours, servers, took = 0.0, 0.0, []
    for number in range(WARM_UP + passes):
        used, used_there, began = time.process_time(), _cpu(server), time.monotonic()
        released = work()
        if number >= WARM_UP:
            took.append(time.monotonic() - began)
            ours, servers = ours + time.process_time() - used, servers + _cpu(server) - used_there
        assert released == expected, released
        after(engine)
    cpu = {"process": ours, "postgres": servers}
    return {
        "cpu_ms": round(1000 * sum(cpu.values()) / passes, 2),
        "cpu_ms_by_part": {name: round(1000 * value / passes, 2) for name, value in cpu.items()},
        "median_ms": round(1000 * statistics.median(took), 2),
    }


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
