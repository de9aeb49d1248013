"""A process that dies where it is told: `python -m harness.victim celery -A workers.app worker …`, or `uvicorn …`.

It is the production process, started by the production command line; only the functions between which it may die are
wrapped, here and nowhere in the product. Without an order it behaves as any other.
"""

import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

from harness import points_of_dispatch, points_of_others
from harness.orders import ORDERS_VARIABLE, Orders
from harness.reaper import Reaper

ROLE_VARIABLE = "RINGFENCE_E2E_ROLE"
"""Environment variable of every process: which of them it is, by the name of its `ChildProcess`."""

WRAPS: dict[str, Callable[[Reaper], None]] = {
    "worker-dispatch": points_of_dispatch.wrap,
    "worker-control": points_of_others.wrap_control,
    "beat": points_of_others.wrap_beat,
    "web": points_of_others.wrap_web,
}


def main() -> None:
    """Wrap, then be what the command line says."""
    WRAPS[os.environ[ROLE_VARIABLE]](Reaper(Orders(Path(os.environ[ORDERS_VARIABLE]))))
    module = sys.argv[1]
    sys.argv = [module, *sys.argv[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
