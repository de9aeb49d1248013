"""The long run: every fault many times, and the table of it. `make chaos ARGS="--trials 5"`, or with `--help`."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from harness.fault_table import markdown

ROOT = Path(__file__).parents[3]
STORIES = ("tests/e2e/chaos", "tests/e2e/test_faults_redial.py", "tests/e2e/test_faults_hold.py")
TABLE = ROOT / "docs" / "fault-table.md"
BEGIN, END = "<!-- written by make chaos -->", "<!-- until here -->"
SEED = 7


def main() -> None:
    """Run the stories, write the table, and end as pytest did."""
    asked = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="ringfence-chaos-") as folder:
        lines = Path(folder) / "table.jsonl"
        began = time.monotonic()
        ended = subprocess.run(_command(asked), cwd=ROOT, env=_environment(asked, lines), check=False)
        found = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()] if lines.exists() else []
    head = _head(asked, seconds=time.monotonic() - began, trials=sum(line["trials"] for line in found))
    text = f"{BEGIN}\n{head}\n\n{markdown(found)}{END}"
    print(text)
    if asked.write and found:
        TABLE.write_text(
            re.sub(f"{BEGIN}.*{END}", lambda _: text, TABLE.read_text(encoding="utf-8"), flags=re.DOTALL),
            encoding="utf-8",
        )
    sys.exit(ended.returncode)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--trials", type=int, default=5, help="of each fault")
    parser.add_argument("--seed", type=int, default=SEED, help="what is hit, and when")
    parser.add_argument("--processes", type=int, default=2, help="stories told at one time")
    parser.add_argument("--faults", default="", help="only these, by name, with commas between them")
    parser.add_argument("--write", action="store_true", help=f"put the table into {TABLE.relative_to(ROOT)}")
    return parser


def _command(asked: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(asked.processes), "-p", "no:randomly", *STORIES]
    # The tests of faults that were left out would find nothing to look at.
    return [*command, "-k", asked.faults.replace(",", " or ")] if asked.faults else command


def _environment(asked: argparse.Namespace, lines: Path) -> dict[str, str]:
    return dict(os.environ) | {
        "RINGFENCE_E2E_TRIALS": str(asked.trials),
        "RINGFENCE_E2E_SEED": str(asked.seed),
        "RINGFENCE_E2E_FAULTS": asked.faults,
        "RINGFENCE_E2E_TABLE": str(lines),
    }


def _head(asked: argparse.Namespace, *, seconds: float, trials: int) -> str:
    return (
        f"Run on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processor cores, {seconds:.0f} s for all of it, "
        f"{trials} trials:\n\n"
        f'```sh\nmake chaos ARGS="--trials {asked.trials} --seed {asked.seed} --processes {asked.processes}"\n```'
    )


if __name__ == "__main__":
    main()
