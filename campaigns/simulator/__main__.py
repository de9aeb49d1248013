"""`python -m campaigns.simulator`: stand-alone Vapi, jambonz and Voxworks on loopback.

    python -m campaigns.simulator --port 8977 --speed 100 --set faults.timeout_after_accept=0.01

Every field of `SimulatorConfig` can be set; docs/simulator.md lists them.
"""

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from campaigns.simulator.fields import ConfigError
from campaigns.simulator.options import Options
from campaigns.simulator.server import run_simulator
from campaigns.simulator.switches import markdown

EXIT_INPUT = 2
EXIT_UNREACHABLE = 4
YOUNG = 50_000
"""New objects until the collector looks; Python's 700 is less than ten creates make."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when stopped, 2 for wrong options, 4 when the port is taken."""
    typed = vars(_parser().parse_args(arguments))
    if typed.pop("switches"):
        sys.stdout.write(markdown())
        return 0
    # Calls are kept for as long as this runs: looking for garbage among ever more of them would slow it down and down.
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    try:
        run_simulator(Options(**typed).read())
    except ConfigError as error:
        return _complain(f"simulator: {error}", code=EXIT_INPUT)
    except OSError as error:
        return _complain(f"simulator: cannot listen: {error.strerror}; choose another --port", code=EXIT_UNREACHABLE)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m campaigns.simulator", description="Vapi, jambonz and Voxworks on loopback."
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="a JSON file with any field of the configuration")
    parser.add_argument("--host", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="0, the default, takes any free one and prints it")
    parser.add_argument("--seed", type=int, help="the same seed repeats the same outcomes")
    parser.add_argument("--speed", type=float, help="100 plays a 90 s call in 0.9 s")
    parser.add_argument("--api-key", dest="api_key", help="refuse other keys with 401")
    parser.add_argument("--log", dest="log_path", metavar="FILE", help="append JSON lines: creates, statuses, webhooks")
    parser.add_argument("--no-webhooks", action="store_true", help="send none; outcomes come by polling")
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="PATH=VALUE",
                        help="e.g. faults.stuck=0.01; may be given again")  # fmt: skip
    parser.add_argument("--switches", action="store_true", help="print a table of all of them, and end")
    return parser


def _complain(message: str, *, code: int) -> int:
    sys.stderr.write(message + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
