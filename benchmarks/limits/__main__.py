"""Limits, measured at the provider.

python -m benchmarks.limits                       all settings, some ten minutes
python -m benchmarks.limits --only rate --rate 50 --seconds 10
"""

import argparse

from benchmarks.house import show
from benchmarks.limits import lowered, rate, slots

RATES = (1.0, 5.0, 20.0, 50.0, 500.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("rate", "faults", "slots", "lowered"))
    parser.add_argument("--rate", type=float)
    parser.add_argument("--processes", type=int, default=4, help="dispatch workers")
    parser.add_argument("--seconds", type=float, default=15.0)
    options = parser.parse_args()
    rates = [options.rate] if options.rate else RATES
    if options.only in (None, "rate"):
        for each in rates:
            show("rate", **rate.measure(rate=each, processes=options.processes, seconds=options.seconds))
    if options.only in (None, "faults"):
        for fault in rate.FAULTS:
            measured = rate.measure(
                rate=options.rate or 50.0, processes=options.processes, seconds=options.seconds, fault=fault
            )
            show("rate under faults", **measured)
    if options.only in (None, "slots"):
        show("slots", **slots.measure(slots=20, rounds=9, speed=10.0, processes=options.processes))
    if options.only in (None, "lowered"):
        show("lowered", **lowered.measure(processes=options.processes))


if __name__ == "__main__":
    main()
