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

from benchmarks.dialing.product import SETTINGS, SLOW_CALLS, expand, workers
from benchmarks.house import a_house, phones, show
from campaigns.runtime.installation import has_logged, wait_for
from campaigns.runtime.prepare import prepare_database
from campaigns.runtime.settings import load_settings
from campaigns.services.control import Control
from campaigns.store.engine import open_engine

MARGIN = 0.1
"""Seconds beside the provider's latency: claims ahead of their turns, and answers that wait to be written."""
SPEED_OVER = 2.0
"""Seconds of dialing before each kill, by which the speed is known."""
CALLS_A_KILL = 4_000
"""More than can be dialed before it."""
START_TIMEOUT = timedelta(seconds=60)
LOOK = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--rate", type=float, default=400.0, help="the account's calls per second")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds until the provider answers a create")
    options = parser.parse_args()
    show("unknown fates after kill -9", **measure(**vars(options)))


def measure(*, kills: int, rate: float, latency: float) -> dict[str, Any]:
    """The fates that each kill left, and the bound by the speed at that moment."""
    with a_house() as house, phones(house, f"answer_latency=[{latency},{latency}]", *SLOW_CALLS) as provider:
        (house.home / "ringfence.toml").write_text(SETTINGS.format(url=provider.url, rate=rate), encoding="utf-8")
        prepare_database(house.postgres.url, load_settings(dict(house.programs.beat().environment), cwd=house.home))
        database = open_engine(house.postgres.url, pool_size=2)
        try:
            control = Control(database, operator="bench", wait=lambda _: None)
            control.stop_all()
            expand(house, database, name="bench", calls=kills * CALLS_A_KILL)
            with workers(house, 1) as children:
                dispatch, left = children[0], list[tuple[int, float]]()
                control.start()
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
        finally:
            database.dispose()
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
    first = _dialed(database)
    while (begun := _dialed(database)) == first:
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
