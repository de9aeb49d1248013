"""Dials a second of plain Celery, done the usual way (`benchmarks/control/app.py`), against the same simulator.

python -m benchmarks.control.plain_celery --calls 2000 --latency 0.05
"""

import argparse
import os
import subprocess
import sys
import time
from typing import Any

from sqlalchemy import create_engine, insert

from benchmarks.dialing.people import number_of
from benchmarks.house import Meter, Phones, a_house, memory_mib, phones, show

SLOW_CALLS = (
    "queued=[0,0]", "ring=[3000,3000]", "webhooks.enabled=false", 'rates={"answered":1,"voicemail":0,"no_answer":0,'
    '"busy":0,"rejected":0,"invalid_number":0,"provider_error":0,"pipeline_error":0,"config_error":0}',
)  # fmt: skip
PROCESSES = 8
CHUNK = 5_000
POLL = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--latency", type=float, default=0.05)
    options = parser.parse_args()
    show("control: plain Celery", **measure(**vars(options)))


def measure(*, calls: int, latency: float) -> dict[str, Any]:
    """Dials a second and the processor time of each; the queue is filled before the worker starts."""
    with a_house() as house, phones(house, f"answer_latency=[{latency},{latency}]", *SLOW_CALLS) as provider:
        environment = {
            **house.programs.beat().environment,
            "CONTROL_PROVIDER": provider.url,
            "REDIS_URL": house.valkey.url,
        }
        os.environ.update({key: environment[key] for key in ("REDIS_URL", "DATABASE_URL")})
        from benchmarks.control.app import Base, Customer, app, dial  # its broker is the house's

        engine = create_engine(environment["DATABASE_URL"])
        Base.metadata.create_all(engine)
        people = [
            {"id": index + 1, "number": number_of(index), "name": f"Customer {index}", "status": "pending"}
            for index in range(calls)
        ]
        with engine.begin() as connection:
            for start in range(0, calls, CHUNK):
                connection.execute(insert(Customer), people[start : start + CHUNK])
        engine.dispose()
        with app.producer_pool.acquire(block=True) as producer:
            for person in people:
                dial.apply_async((person["id"],), producer=producer)
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "benchmarks.control.app", "worker", "-c", str(PROCESSES),
             "--loglevel", "ERROR", "--without-gossip", "--without-mingle"],
            env=environment,
        )  # fmt: skip
        try:
            return _run(provider, worker.pid, postgres=house.postgres.pid, valkey=house.valkey.pid, calls=calls)
        finally:
            worker.terminate()
            worker.wait()


def _run(provider: Phones, worker: int, *, postgres: int, valkey: int, calls: int) -> dict[str, Any]:
    meter = Meter({"worker": worker, "postgres": postgres, "valkey": valkey})
    while provider.stats()["dials"] == 0:
        time.sleep(POLL)
    started = time.monotonic()
    while (dials := provider.stats()["dials"]) < calls:
        time.sleep(POLL)
    seconds = time.monotonic() - started
    used = {name: round(1000 * value / dials, 3) for name, value in meter.read().items()}
    return {
        "dials": dials,
        "dials_per_second": round(dials / seconds, 1),
        "cpu_ms_per_dial": round(sum(used.values()), 3),
        "cpu_ms_per_dial_by_part": used,
        "memory_mib": round(memory_mib(worker)),
    }


if __name__ == "__main__":
    main()
