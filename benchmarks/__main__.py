"""All of it: `make bench`; a part: `make bench ARGS="dialing feed"`; a first look: `make bench ARGS=--quick`.

One JSON line a figure. After the figures of ours and of the usual way, measured in the same run, comes a line with
their ratio: how many times as much ours does, or as little it takes. `benchmarks/README.md` keeps the table.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

Figures = dict[str, Any]

ROUNDS = ((0.05, 20_000, 2_000), (0.3, 20_000, 800))
"""Latency of the provider in seconds, calls of ours, calls of the control, which needs half a minute for these."""
PROCESSES = 2
"""Dispatch workers: the machine of the table has two cores."""


def main() -> int:
    """Exit code 1: a part could not be measured; the others were."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one or more of {', '.join(PARTS)}; none: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of it, and not for the table")
    options = parser.parse_args()
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    failed = [part for part in options.parts or PARTS if not _measured(part, share=0.1 if options.quick else 1.0)]
    if failed:
        sys.stderr.write(f"make bench: could not measure {', '.join(failed)}; the reasons are above\n")
    return 1 if failed else 0


def _measured(part: str, *, share: float) -> bool:
    try:
        PARTS[part](share)
    except subprocess.CalledProcessError:
        return False
    return True


def dialing(share: float) -> None:
    """The whole product against plain Celery, one process against its own HTTP client, each part by itself; then how
    long a message waits at half load, and what a crash leaves unknown."""
    for latency, calls, control_calls in ROUNDS:
        (usual,) = run("control.plain_celery", "--calls", int(control_calls * share), "--latency", latency)
        size = ("--calls", int(calls * share), "--latency", latency)
        (ours,) = run("dialing.product", *size, "--processes", PROCESSES)
        name = f"dialing at {latency} s: product to plain Celery"
        compare(name, ours, usual, more="dials_per_second", less="cpu_ms_per_dial")
    (alone,) = run("dialing.product", "--calls", int(10_000 * share), "--processes", 1)
    parts = {each["what"]: each for each in run("dialing.parts", "--calls", int(4_000 * share))}
    ceiling = 1e6 / parts["post: the client alone"]["microseconds"]
    show("dialing: one process to its HTTP client alone", round(alone["dials_per_second"] / ceiling, 2))
    run("dialing.waiting", "--rate", 450, "--seconds", max(5, int(20 * share)))
    (left,) = run("dialing.killed", "--kills", max(2, int(5 * share)))
    show("dialing: unknown fates after kill -9 to their bound", left["share_of_bound"])


def limits(share: float) -> None:
    """Calls per second and concurrency, counted at the provider: the ratio is the share that was used of each."""
    run("limits", "--seconds", max(5, int(10 * share)))


def feed(share: float) -> None:
    """A pass of the feed by how much waits, and how much lies around it: the ratio is large to small."""
    small, large = 10_000, int(1_000_000 * share)
    found = run("feed.product", "--waiting", small, large, "--around", large)
    for what in dict.fromkeys(each["what"] for each in found):
        first, *_, last = (each for each in found if each["what"] == what)
        show(f"{what}: {last['waiting']:,} and {last['around']:,} around to {first['waiting']:,} alone",
             round(last["cpu_ms"] / first["cpu_ms"], 2))  # fmt: skip


def expansion(share: float) -> None:
    """A large list, and the same rows the usual way."""
    run("expansion.product", "--rows", 10_000, int(1_000_000 * share))
    run("expansion.product", "--rows", int(20_000 * max(share, 0.5)), "--control")


def webhooks(share: float) -> None:
    """Taken in, and applied: each also the usual way."""
    taken = ("--count", int(8_000 * share))
    ours, *_ = run("webhooks.intake", *taken)
    usual, *_ = run("webhooks.intake", *taken, "--app", "benchmarks.webhooks.usual:create_app")
    compare("webhooks taken in: ours to a route and a session", ours, usual, more="per_second")
    (batches,) = run("webhooks.processing", "--calls", int(5_000 * share))
    (singly,) = run("webhooks.processing", "--calls", int(2_000 * share), "--one-by-one")
    compare("webhooks applied: in batches to one by one", batches, singly, more="receipts_per_second")


def gate(_share: float) -> None:
    """Decisions, and the chain over them."""
    run("gate.evaluate")
    run("ledger.seal_and_verify")


PARTS: dict[str, Callable[[float], None]] = {
    "dialing": dialing,
    "limits": limits,
    "feed": feed,
    "expansion": expansion,
    "webhooks": webhooks,
    "gate": gate,
}


def run(module: str, *arguments: object) -> list[Figures]:
    """Run one benchmark in a process of its own and show its lines as they come. Raises `CalledProcessError`."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    found = list[Figures]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                sys.stdout.write(line)
                sys.stdout.flush()
                found.append(json.loads(line))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return found


def compare(what: str, ours: Figures, usual: Figures, *, more: str, less: str | None = None) -> None:
    """`more`: the larger the better; `less`: the smaller the better."""
    ratios: Sequence[tuple[str, float]] = [(more, ours[more] / usual[more])]
    if less is not None:
        ratios = [*ratios, (less, usual[less] / ours[less])]
    show(what, {name: round(value, 1) for name, value in ratios})


def show(what: str, ratio: object) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps({"what": what, "ratio": ratio}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
