"""`python -m campaigns.simulator`: a stand-alone Vapi on loopback.

    python -m campaigns.simulator --port 8977 --speed 100 --set faults.timeout_after_accept=0.01

Every field of `SimulatorConfig` can be set; `--help` lists the common ones.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from campaigns.simulator.config import SimulatorConfig, changed
from campaigns.simulator.fields import ConfigError
from campaigns.simulator.server import run_simulator

EXIT_INPUT = 2
EXIT_UNREACHABLE = 4
MOST_PORT = 65_535


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when stopped, 2 for wrong options, 4 when the port is taken."""
    options = _parser().parse_args(arguments)
    try:
        config = changed(SimulatorConfig(), _document(options))
        if not 0 <= config.port <= MOST_PORT:
            raise ConfigError(f"--port: found {config.port}; allowed are 0 (any free one) to {MOST_PORT}")
        run_simulator(config)
    except (ConfigError, ValueError, FileNotFoundError, IsADirectoryError, PermissionError) as error:
        return _complain(f"simulator: {error}", code=EXIT_INPUT)
    except OSError as error:
        return _complain(f"simulator: cannot listen: {error.strerror}; choose another --port", code=EXIT_UNREACHABLE)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m campaigns.simulator", description="A Vapi on loopback.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a JSON file with any field of the configuration")
    parser.add_argument("--host", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="0, the default, takes any free one and prints it")
    parser.add_argument("--seed", type=int, help="the same seed repeats the same outcomes")
    parser.add_argument("--speed", type=float, help="100 plays a 90 s call in 0.9 s")
    parser.add_argument("--api-key", dest="api_key", help="refuse other keys with 401")
    parser.add_argument("--log", dest="log_path", metavar="FILE", help="append JSON lines: creates, statuses, webhooks")
    parser.add_argument("--no-webhooks", action="store_true", help="send none; outcomes come by polling")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="e.g. faults.stuck=0.01")
    return parser


def _document(options: argparse.Namespace) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(options.config.read_text(encoding="utf-8")) if options.config else {}
    for name in ("host", "port", "seed", "speed", "api_key", "log_path"):
        if getattr(options, name) is not None:
            document[name] = getattr(options, name)
    if options.no_webhooks:
        _set(document, "webhooks.enabled", value=False)
    for assignment in options.set:
        path, separator, text = assignment.partition("=")
        if not separator:
            raise ConfigError(f"--set: found {assignment!r}; give PATH=VALUE, such as faults.stuck=0.01")
        _set(document, path, value=_value(text))
    return document


def _set(document: dict[str, Any], path: str, *, value: Any) -> None:
    *parts, last = path.split(".")
    for part in parts:
        document = document.setdefault(part, {})
    document[last] = value


def _value(text: str) -> Any:
    """JSON where it is some, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _complain(message: str, *, code: int) -> int:
    sys.stderr.write(message + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
