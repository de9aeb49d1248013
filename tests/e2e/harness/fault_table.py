"""The table: a line for each fault and policy, over all its trials."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from harness.faults import FAULTS_BY_POLICY, Fault
from harness.trial import Verdict

COUNTS = ("trials", "customers", "dials", "double_dials", "losses", "unknown", "adopted", "redialed", "unresolved")
SECONDS = ("recovery_seconds_median", "recovery_seconds_max")
HEAD = (
    "| fault | trials | customers | dials | double dials | losses | unknown | found | redialed | unresolved "
    "| recovery, s: median | most |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
)
WORDS: dict[Fault, str] = {
    Fault.BEFORE_CLAIM: "worker killed before the claim",
    Fault.AFTER_CLAIM: "worker killed after the claim's commit, before any byte",
    Fault.DURING_POST: "worker killed while a request is under way",
    Fault.AFTER_ACCEPT: "worker killed after the provider's 201, before our record",
    Fault.DURING_RECORD: "worker killed inside the recording transaction",
    Fault.KILLED_AT_RANDOM: "worker killed at random",
    Fault.FEED_BEFORE_COMMIT: "feeder killed before its commit",
    Fault.FEED_AFTER_COMMIT: "feeder killed after its commit, before any message",
    Fault.LOOK_BEFORE_COMMIT: "control worker killed while it records webhooks or looks",
    Fault.LIST_BEFORE_END: "control worker killed before a list's last commit",
    Fault.CONTROL_KILLED: "control worker killed at random",
    Fault.BEAT_BEFORE_TICK: "beat killed before a tick",
    Fault.BEAT_AFTER_TICK: "beat killed after a tick",
    Fault.WEB_BEFORE_COMMIT: "web killed before webhooks are committed",
    Fault.WEB_AFTER_COMMIT: "web killed after webhooks are committed, before its answer",
    Fault.WEB_KILLED: "web killed at random",
    Fault.VALKEY_FLUSHED: "Valkey: `FLUSHALL`",
    Fault.VALKEY_EMPTY: "Valkey killed, at once back empty",
    Fault.VALKEY_AWAY: "Valkey away for 10 or 60 s, back empty",
    Fault.NO_WORKER: "no dispatch worker for 10 or 60 s",
    Fault.DEPLOYED: "new worker deployed under load",
    Fault.FROZEN_PAST_PERMIT: "worker frozen past its permits",
    Fault.FROZEN_PAST_LEASE: "worker frozen past its lease",
    Fault.FROZEN_PAST_REVOCATION: "worker frozen past revocations",
    Fault.FROZEN_PAST_WINDOW: "worker frozen past the window's end",
    Fault.FEEDER_FROZEN: "feeder frozen with the account's lock",
    Fault.POSTGRES_RESTARTED: "Postgres restarted",
    Fault.POSTGRES_AWAY: "Postgres away for 10 or 30 s",
    Fault.CONNECTIONS_CUT: "connections cut 25 times in 5 s",
    Fault.CONNECTIONS_TAKEN: "all connections taken by others for 6 s",
    Fault.TRANSACTIONS_REFUSED: "a third of the commits refused (40001) for 5 s",
    Fault.LOCKS_CROSSED: "deadlocks for 5 s",
    Fault.DISK_FULL: "Postgres's disk full for 10 s",
    Fault.MESSAGES_REPEATED: "messages repeated 25 times in 5 s",
    Fault.TWO_OF_EACH: "two beats, two control workers",
    Fault.PROVIDER_FAULTY: "provider's creates faulty for 10 s",
    Fault.WEBHOOKS_FAULTY: "webhooks lost, doubled, overtaken, late for 10 s",
    Fault.CALLS_ENDLESS: "a tenth of the calls never ends",
}
TITLES = {
    "redial": "`retries.ambiguous: redial`",
    "hold": "`retries.ambiguous: hold`",
    "chaos": "Frozen, cut off, doubled, filled, misled (`hold`)",
}


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


def markdown(found: Sequence[dict[str, Any]]) -> str:
    """A table for each policy that was tried, with its sums."""
    return "\n".join(
        f"## {TITLES[policy]}\n\n{HEAD}{_rows(mine)}"
        for policy in FAULTS_BY_POLICY
        if (mine := [line for line in found if line["policy"] == policy])
    )


def _rows(found: Sequence[dict[str, Any]]) -> str:
    total = {name: sum(line[name] for line in found) for name in COUNTS}
    bold = {name: f"**{total[name]}**" for name in ("double_dials", "losses")}
    rows = [_row(WORDS[Fault(line["point"])], line) for line in found]
    return "".join([*rows, _row("**all**", total | bold | dict.fromkeys(SECONDS, ""))])


def _row(name: str, line: dict[str, Any]) -> str:
    return f"| {name} | {' | '.join(str(line[column]) for column in (*COUNTS, *SECONDS))} |\n"


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
