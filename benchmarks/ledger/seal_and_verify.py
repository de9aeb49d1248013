"""How many decisions a second one sealer chains and one audit recomputes, on a durable Postgres.

    python benchmarks/ledger/seal_and_verify.py [--decisions 100000]

One JSON line a figure. Control: the naive ledger, which links every decision in a transaction of its own.
"""

import argparse
import json
import platform
import resource
import shutil
import tempfile
import time
from pathlib import Path

from sqlalchemy import Engine, text

from campaigns.runtime.embedded import start_postgres
from campaigns.services import seal as sealing
from campaigns.services.audit import Audit
from campaigns.services.seal import Seal
from campaigns.store.engine import open_engine
from campaigns.store.migrate import upgrade

CONTROL = 2_000
CHECKS = json.dumps(
    [
        {"rule_id": f"RULE-{index:02}", "passed": True, "detail": "a sentence of some fifty characters, as they are"}
        for index in range(18)
    ]
)
FACTS = json.dumps({"engine": "0", "line_type": "mobile", "consents": [1], "plan": {"seller": "Example Energy, Inc."}})
INSERT = text("""
    INSERT INTO decisions (call_id, decided_at, campaign_at, verdict, rule_id, zones, jurisdictions, rules_digest,
        tzdata_version, checks, facts)
    SELECT n, clock_timestamp(), clock_timestamp(), 'refusal', 'HOURS-US', ARRAY['America/New_York'],
        ARRAY['US', 'US-NY'], repeat('0', 64), '2026.6', CAST(:checks AS jsonb), CAST(:facts AS jsonb)
    FROM generate_series(1, :count) AS n
""")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--decisions", type=int, default=100_000)
    count = parser.parse_args().decisions
    folder = Path(tempfile.mkdtemp(prefix="ringfence-bench-"))
    folder.chmod(0o711)
    try:
        with start_postgres(folder / "postgres", durable=True) as server:
            engine = open_engine(server.url)
            upgrade(engine)
            measure(engine, count)
            engine.dispose()
    finally:
        shutil.rmtree(folder)


def measure(engine: Engine, count: int) -> None:
    """Seal and verify `count` decisions; then the control."""
    insert(engine, count)
    seconds = timed(lambda: seal_all(engine))
    report("sealed_per_second", count / seconds)
    seconds = timed(lambda: verify(engine, count))
    report("verified_per_second", count / seconds)
    report("verify_peak_rss_mb", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    insert(engine, 10)
    report("tick_of_ten_decisions_ms", 1000 * timed(lambda: seal_all(engine)))
    insert(engine, CONTROL)
    sealing.CHUNK, sealing.MOST_CHUNKS = 1, CONTROL
    control = CONTROL / timed(lambda: Seal(engine).run())
    report("control_one_transaction_each_per_second", control)


def insert(engine: Engine, count: int) -> None:
    for start in range(0, count, 20_000):
        with engine.begin() as connection:
            values = {"count": min(20_000, count - start), "checks": CHECKS, "facts": FACTS}
            connection.execute(INSERT, values)


def seal_all(engine: Engine) -> None:
    sealer = Seal(engine)
    while sealer.run():
        pass


def verify(engine: Engine, count: int) -> None:
    found = Audit(engine).verify()
    assert found.intact
    assert found.sealed == count


def timed(act: object) -> float:
    assert callable(act)
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def report(figure: str, value: float) -> None:
    print(
        json.dumps(
            {"benchmark": "ledger", "figure": figure, "value": round(value, 1), "python": platform.python_version()}
        )
    )


if __name__ == "__main__":
    main()
