"""What one process says of itself: how long it took, the processor time it used, and the most memory it ever had."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

KIB_PER_MIB = 1024


def told(work: Callable[[], object]) -> None:
    """Do it, and print a JSON line about it."""
    began, used = time.monotonic(), time.process_time()
    work()
    seconds, cpu = time.monotonic() - began, time.process_time() - used
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mib": peak_mib()}) + "\n")


def peak_mib() -> float:
    """The largest resident size of this process; `ru_maxrss` would also tell of the one that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / KIB_PER_MIB
