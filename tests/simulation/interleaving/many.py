"""Many schedules, one again, or all mutations: `PYTHONPATH=tests/simulation python -m interleaving --schedules 2000`.

Starts a Postgres of its own, or uses the one of `DATABASE_URL` (whose role must be allowed to create databases).
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from campaigns.runtime.embedded import start_postgres
from interleaving.hunt import hunt
from interleaving.mutations import MUTATIONS
from interleaving.schedule import FAULTS, STEPS, Plan, Played
from interleaving.temporary import theatre_at

PROGRESS = 100
"""Schedules of one process between two words about it."""
Share = tuple[str, argparse.Namespace, list[int]]
"""Server, options, seeds of one process."""


def main() -> int:
    """Exit code 1: a promise broke; the trace is on stderr."""
    options = _options()
    with _server() as url:
        if options.seed is not None:
            return _one(options, url)
        if options.mutations is not None:
            return _mutations(options, url)
        return _many(options, url)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="interleaving", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one schedule and print its trace")
    parser.add_argument(
        "--mutations", nargs="*", metavar="NAME", help="hunt these missing safeguards, or all, from the seed --first on"
    )
    parser.add_argument("--schedules", type=int, default=1000, help="how many seeds (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--steps", type=int, default=STEPS, help="steps of chaos a schedule")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--without", action="append", default=[], choices=FAULTS)
    parser.add_argument("--only", action="append", default=[], choices=FAULTS, help="no other faults than these")
    parser.add_argument("--skip", action="append", default=[], type=int, help="a step in which nothing is thrown in")
    parser.add_argument("--whole", action="store_true", help="show the whole trace, and do not make it smaller")
    return parser.parse_args()


@contextmanager
def _server() -> Iterator[str]:
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        with start_postgres(Path(folder) / "postgres", durable=False) as server:
            yield server.url


def _one(options: argparse.Namespace, url: str) -> int:
    plan = _plan(options, options.seed)
    with theatre_at(url) as theatre:
        played = theatre.play(plan)
        if played.broken and not options.whole:
            played = theatre.shrunk(played)
    print("\n".join(played.trace) if played.broken is None else played.story(most=10_000))
    print(f"calls ended: {', '.join(played.ends)}")
    return 1 if played.broken else 0


def _mutations(options: argparse.Namespace, url: str) -> int:
    """One JSON line a mutation."""
    missed = 0
    with theatre_at(url) as theatre:
        for mutation in [each for each in MUTATIONS if str(each) in options.mutations or not options.mutations]:
            hunted = hunt(theatre, mutation, first=options.first)
            broken = hunted.found.broken if hunted.found else None
            is_found = any(words in (broken or "") for words in mutation.breaks)
            missed += not is_found
            line = {"mutation": str(mutation), "found": is_found, "schedules": hunted.schedules, "broken": broken}
            print(json.dumps(line), flush=True)
    return 1 if missed else 0


def _plan(options: argparse.Namespace, seed: int) -> Plan:
    without, only, skip = (frozenset(each) for each in (options.without, options.only, options.skip))
    return Plan(seed, options.steps, without, only, skip)


def _many(options: argparse.Namespace, url: str) -> int:
    started_at, cpu_at = time.monotonic(), time.process_time()
    share = [
        (url, options, list(range(options.first + n, options.first + options.schedules, options.processes)))
        for n in range(options.processes)
    ]
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(part, share))
    seconds = time.monotonic() - started_at
    total: Counter[str] = sum((Counter(part) for part in parts), Counter())
    total["cpu_ms"] += round(1000 * (time.process_time() - cpu_at))
    print(json.dumps({**total, "seconds": round(seconds, 1), "per_second": round(total["schedules"] / seconds, 1)}))
    return 1 if total["broken"] else 0


def part(share: Share) -> Counter[str]:
    url, options, seeds = share
    counts: Counter[str] = Counter()
    began = time.process_time()
    with theatre_at(url) as theatre:
        for seed in seeds:
            played = theatre.play(_plan(options, seed))
            _count(counts, played)
            if played.broken:
                shown = played if options.whole else theatre.shrunk(played)
                print(shown.story(), file=sys.stderr, flush=True)
            if counts["schedules"] % PROGRESS == 0:
                print(f"{counts['schedules']} of {len(seeds)}, {counts['broken']} broken", file=sys.stderr, flush=True)
    counts["cpu_ms"] = round(1000 * (time.process_time() - began))
    return counts


def _count(counts: Counter[str], played: Played) -> None:
    counts["schedules"] += 1
    counts["broken"] += played.broken is not None
    counts["requests"] += played.requests
    counts["accepted"] += played.accepted
    counts["commits"] += played.commits
    counts["lines"] += len(played.trace)
    for state in played.ends:
        counts[f"calls_{state}"] += 1
