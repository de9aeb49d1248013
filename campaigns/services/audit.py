"""Audit: recompute the whole chain from what the database says now, in bounded memory, and name every difference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from campaigns.calls.ledger import START, Fault, Head, faults_of
from campaigns.files.ledger_heads import HEADS_NAME, ExportedHead
from campaigns.store import ledger as rows

CHUNK = 2_000
"""Rows in memory at once: a decision with its checks has some kilobytes."""
DECISIONS_CHUNK = 50_000
"""Ids looked through in one statement for decisions that no ledger row stands for."""
PROBLEMS_SHOWN = 100
"""After so many the ledger is known to be worthless; the count goes on."""

_BEFORE_THE_SEAL = (
    "a decision altered before it was sealed, or removed before it was sealed together with its place in the queue, "
    "by somebody who can write to the database past its triggers"
)
UNANCHORED = (
    "Without a head exported earlier (--head FILE), three things cannot be seen: rows cut off at the end together with "
    "their decisions; a chain rewritten and recomputed as a whole by somebody who can write to the database; and "
    f"{_BEFORE_THE_SEAL}."
)
ANCHORED = (
    "If intact, nothing up to the newest given head was rewritten or cut off. What was sealed after it is only as good "
    "as the database: export heads often, and keep them where its administrators cannot write. No head shows "
    f"{_BEFORE_THE_SEAL}."
)
ANCHORED_HERE = (
    f"Compared with the heads in {HEADS_NAME} of RINGFENCE_HOME, since no --head FILE was given. That file is on this "
    "machine: an intruder who can write here could edit it to match. A copy kept elsewhere (--head FILE) proves more. "
    f"{ANCHORED}"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One difference. `seq`, `decision_id`: where, as far as it has such a place."""

    kind: str
    message: str
    seq: int | None = None
    decision_id: int | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What an audit found. `limits`: what it cannot prove."""

    head: Head
    sealed: int
    unsealed: int
    oldest_unsealed: timedelta | None
    problem_count: int
    problems: tuple[Problem, ...]
    anchors: int
    limits: str

    @property
    def intact(self) -> bool:
        return self.problem_count == 0

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "intact": self.intact,
            "sealed": self.sealed,
            "head": {"seq": self.head.seq, "link": self.head.link.hex()} if self.head.seq else None,
            "unsealed": self.unsealed,
            "oldest_unsealed_seconds": self.oldest_unsealed.total_seconds() if self.oldest_unsealed else None,
            "anchors": self.anchors,
            "problem_count": self.problem_count,
            "problems": [
                {"kind": each.kind, "message": each.message, "seq": each.seq, "decision_id": each.decision_id}
                for each in self.problems
            ],
            "limits": self.limits,
        }


@dataclass(slots=True)
class _Found:
    """Problems so far; only the first are kept, all are counted."""

    count: int = 0
    kept: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        self.count += 1
        if len(self.kept) < PROBLEMS_SHOWN:
            self.kept.append(problem)


class Audit:
    """The auditor; reads only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def head(self) -> ExportedHead | None:
        """The newest head, for keeping elsewhere; None while nothing is sealed."""
        with self._engine.begin() as connection:
            newest = rows.head(connection)
            found = rows.sealed_rows(connection, after=newest.seq - 1, until=newest.seq, most=1)
        return ExportedHead(newest, datetime.fromisoformat(found[0].sealed_at)) if found else None

    def verify(self, anchors: Sequence[ExportedHead] = (), *, kept_here: bool = False) -> Verification:
        """Recompute everything that is sealed at this moment. Sealing may go on meanwhile.

        `kept_here`: the anchors are the sealer's own file, which whoever rules this machine can edit.
        """
        with self._engine.begin() as connection:
            newest = rows.head(connection)
            last_decision = rows.newest_decision(connection)
            tail = rows.unsealed_tail(connection)
        found = _Found()
        sealed = self._walk_chain(newest, found)
        self._walk_decisions(last_decision, found)
        for problem in self._against(anchors, newest):
            found.add(problem)
        return Verification(
            head=newest,
            sealed=sealed,
            unsealed=tail.count,
            oldest_unsealed=tail.oldest_age,
            problem_count=found.count,
            problems=tuple(found.kept),
            anchors=len(anchors),
            limits=_limits(anchored=bool(anchors), kept_here=kept_here),
        )

    def _walk_chain(self, newest: Head, found: _Found) -> int:
        """Every ledger row up to `newest`, a chunk a statement: sealed rows never change, so no snapshot is held."""
        sealed, before = 0, START
        while True:
            with self._engine.begin() as connection:
                chunk = rows.sealed_rows(connection, after=before.seq, until=newest.seq, most=CHUNK)
            for row in chunk:
                for fault in faults_of(row, after=before):
                    found.add(_problem(fault, seq=row.seq, decision_id=row.decision_id, before=before))
                before = Head(row.seq, row.link)
            sealed += len(chunk)
            if len(chunk) < CHUNK:
                return sealed

    def _walk_decisions(self, last: int, found: _Found) -> None:
        """Decisions that the chain does not know, and queue entries without a decision."""
        for after in range(0, last, DECISIONS_CHUNK):
            with self._engine.begin() as connection:
                outside = rows.outside_the_chain(connection, after=after, until=min(after + DECISIONS_CHUNK, last))
            for decision_id in outside:
                message = f"decision {decision_id} is neither sealed nor waiting: its ledger row was removed"
                found.add(Problem("ledger_row_removed", message, decision_id=decision_id))
        with self._engine.begin() as connection:
            vanished = rows.vanished_before_sealing(connection, most=PROBLEMS_SHOWN)
        for decision_id in vanished:
            message = f"decision {decision_id} was removed before it was sealed"
            found.add(Problem("removed_before_sealing", message, decision_id=decision_id))

    def _against(self, anchors: Sequence[ExportedHead], newest: Head) -> Iterator[Problem]:
        for start in range(0, len(anchors), CHUNK):
            heads = [anchor.head for anchor in anchors[start : start + CHUNK]]
            with self._engine.begin() as connection:
                links = rows.links_at(connection, [head.seq for head in heads])
            yield from (problem for head in heads if (problem := _anchor_problem(head, links.get(head.seq), newest)))


def _limits(*, anchored: bool, kept_here: bool) -> str:
    if not anchored:
        return UNANCHORED
    return ANCHORED_HERE if kept_here else ANCHORED


def _anchor_problem(anchor: Head, link: bytes | None, newest: Head) -> Problem | None:
    if anchor.seq > newest.seq:
        message = f"the ledger ends at {newest.seq}, but a head at {anchor.seq} was exported: its end was cut off"
        return Problem("truncated", message, seq=anchor.seq)
    if link != anchor.link:
        message = f"row {anchor.seq} is not the one whose head was exported: the chain was rewritten"
        return Problem("rewritten", message, seq=anchor.seq)
    return None


def _problem(fault: Fault, *, seq: int, decision_id: int, before: Head) -> Problem:
    match fault:
        case Fault.ROWS_MISSING:
            message = f"rows {before.seq + 1} to {seq - 1} of the ledger are missing"
        case Fault.LINK_BROKEN:
            message = f"row {seq} does not follow from row {before.seq}: one of them was altered, moved or put in"
        case Fault.DECISION_MISSING:
            message = f"decision {decision_id}, sealed in row {seq}, is gone"
        case Fault.DECISION_ALTERED:
            message = f"decision {decision_id} is not what was sealed in row {seq}"
    return Problem(fault.value, message, seq=seq, decision_id=decision_id)
