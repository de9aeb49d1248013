"""`kill -9` of the one dispatch process while it dials: how many fates it leaves unknown.

    python -m benchmarks.dialing.killed --kills 5 --rate 400

The bound is what can be under way: the dials of a second times the provider's latency and a tenth of a second.
"""

import argparse
import os
import time
from datetime import timedelta
from statistics import median
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.dialing.product import STANDSTILL, a_campaign, workers
from benchmarks.house import show
from campaigns.runtime.installation import has_logged, wait_for

MARGIN = 0.1
"""Seconds beside the provider's latency: claims ahead of their turns, and answers that wait to be written."""
SPEED_OVER = 2.0
"""Seconds of dialing before each kill, by which the speed is known."""
CALLS_A_KILL = 4_000
"""More than can be dialed before it."""
START_TIMEOUT = timedelta(seconds=60)
LOOK = 0.01
"""Seconds between looks for the first dial: a tenth of the margin."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--rate", type=float, default=400.0, help="the account's calls per second")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds until the provider answers a create")
    options = parser.parse_args()
    show("unknown fates after kill -9", **measure(**vars(options)))


def measure(*, kills: int, rate: float, latency: float) -> dict[str, Any]:
    """The fates that each kill left, and the bound by the speed at that moment."""
    left = list[tuple[int, float]]()
    with (
        a_campaign(calls=kills * CALLS_A_KILL, latency=latency, rate=rate) as scene,
        workers(scene.house, 1) as children,
    ):
        dispatch, database = children[0], scene.database
        scene.control.start()
        for _ in range(kills):
            speed = _speed(database)
            before = _without_answer(database)
            dispatch.kill()
            left.append((_without_answer(database), round(speed * (latency + MARGIN), 1)))
            assert before, "nothing was under way: the kill came too late to mean anything"
            os.truncate(dispatch.log_path, 0)
            _forget(database)
            dispatch.start()
            wait_for(dispatch, has_logged(dispatch, "worker_ready"), timeout=START_TIMEOUT)
    shares = [unknown / bound for unknown, bound in left]
    return {
        "kills": kills,
        "rate": rate,
        "latency_s": latency,
        "unknown": [unknown for unknown, _ in left],
        "bounds": [bound for _, bound in left],
        "share_of_bound": {"median": round(median(shares), 2), "most": round(max(shares), 2)},
    }


def _speed(database: Engine) -> float:
    """Dials a second over `SPEED_OVER`, from the first one on."""
    first, deadline = _dialed(database), time.monotonic() + STANDSTILL
    while (begun := _dialed(database)) == first:
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing was dialed for {STANDSTILL:.0f} s")
        time.sleep(LOOK)
    started = time.monotonic()
    time.sleep(SPEED_OVER)
    return (_dialed(database) - begun) / (time.monotonic() - started)


def _dialed(database: Engine) -> int:
    with database.begin() as connection:
        return int(
            connection.execute(text("SELECT count(*) FROM attempts WHERE requested_at IS NOT NULL")).scalar_one()
        )


def _without_answer(database: Engine) -> int:
    """Attempts that are committed and have no answer on record: what rescue will have to call unknown."""
    with database.begin() as connection:
        return int(connection.execute(text("SELECT count(*) FROM attempts WHERE state = 'dialing'")).scalar_one())


def _forget(database: Engine) -> None:
    """The next kill is to count its own. Nothing looks after this database any more."""
    with database.begin() as connection:
        connection.execute(text("UPDATE attempts SET state = 'fate_unknown', check_at = NULL WHERE state = 'dialing'"))


if __name__ == "__main__":
    main()
