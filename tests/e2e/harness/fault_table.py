"""The table: a line for each fault and policy, over all its trials."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from harness.trial import Verdict


def lines(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """One object for each (point, policy), in the order in which they were tried.

    `unknown`: attempts that the fault left behind unanswered and whose fate was unknown at some moment. Of these
    `adopted` were found at the provider, `redialed` got a new attempt, `unresolved` stayed so until the window ended.
    Seconds: from the fault until the last call that was under way had moved on, or was put before a person.
    """
    by_kind = defaultdict[tuple[str, str], list[Verdict]](list)
    for verdict in verdicts:
        by_kind[verdict.trial.fault.value, verdict.trial.policy].append(verdict)
    return [_line(point, policy, mine) for (point, policy), mine in by_kind.items()]


def append(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Add them to a file of JSON lines; two test processes may write to the same one."""
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{json.dumps(line)}\n" for line in lines(verdicts)))


def _line(point: str, policy: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    seconds = [verdict.trial.recovery_seconds or 0.0 for verdict in verdicts]
    return {
        "point": point,
        "policy": policy,
        "trials": len(verdicts),
        "customers": sum(len(verdict.books.calls) for verdict in verdicts),
        "dials": sum(len(verdict.dials) for verdict in verdicts),
        "double_dials": sum(len(verdict.double_dials) for verdict in verdicts),
        "losses": sum(len(verdict.losses) for verdict in verdicts),
        "unknown": sum(len(verdict.fates.unknown & verdict.trial.unanswered) for verdict in verdicts),
        "adopted": sum(len(verdict.adopted & verdict.trial.unanswered) for verdict in verdicts),
        "redialed": sum(len(verdict.redialed & verdict.trial.unanswered) for verdict in verdicts),
        "unresolved": sum(len(verdict.unresolved & verdict.trial.unanswered) for verdict in verdicts),
        "recovery_seconds_median": round(median(seconds), 1),
        "recovery_seconds_max": round(max(seconds), 1),
    }
