"""Suppression lists in rows: who is on one is refused from the commit on.

A request permitted before the commit has left within one permit lifetime or never will: adding waits for as long, so
that nothing to these numbers can leave any more when it returns.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches

from sqlalchemy import Connection, Engine

from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.compliance.revocations import same_seller
from campaigns.services.asking_back import ask_back_listed
from campaigns.store import suppressions as rows
from campaigns.store.campaigns import record_operation
from campaigns.store.revocations import known_sellers
from campaigns.store.suppressions import ListTarget

INTERNAL = "internal"

Wait = Callable[[timedelta], None]


class RemovalRefusedError(Exception):
    """Someone asked not to be called. The message says what a removal needs."""


def suppress(engine: Engine, numbers: Sequence[str], *, list_name: str, source: str, operator: str) -> int:
    """Add E.164 numbers to a list, for everybody and for ever. Returns how many were new. Does not wait."""
    with engine.begin() as connection:
        return _add(connection, numbers, ListTarget(list_name), source=source, operator=operator, expires_at=None)


def suppressed(engine: Engine, numbers: Sequence[str]) -> set[str]:
    """Those of `numbers` (E.164) that may not be dialed."""
    with engine.begin() as connection:
        return rows.suppressed_numbers(connection, numbers)


def doubts_about(engine: Engine, target: ListTarget) -> list[str]:
    """Why entries there may not do what was meant, one sentence each.

    A seller may be unknown today and call tomorrow, so this is for a person to judge and no ground for a refusal.
    """
    if target.scope != "seller" or target.scope_value is None:
        return []
    with engine.begin() as connection:
        known = known_sellers(connection)
    if any(same_seller(target.scope_value, each) for each in known):
        return []
    nearest = next(iter(get_close_matches(target.scope_value, known, n=1)), None)
    advice = (
        f"did you mean {nearest!r}?" if nearest else "check its name, or leave the scope out to stop everybody's calls"
    )
    return [f"no campaign and no consent names the seller {target.scope_value!r}, so this stops no call now; {advice}"]


class Suppress:
    """Add and remove entries, for one operator. `wait` really waits that long; tests pass their own."""

    def __init__(self, engine: Engine, *, operator: str, wait: Wait) -> None:
        self._engine = engine
        self._operator = operator
        self._wait = wait

    def add(self, numbers: Sequence[str], target: ListTarget, *, source: str, expires_at: datetime | None) -> int:
        """Add E.164 numbers; returns how many were new, or stay longer than they would have."""
        with self._engine.begin() as connection:
            added = _add(connection, numbers, target, source=source, operator=self._operator, expires_at=expires_at)
        self._wait(PERMIT_LIFETIME)
        return added

    def remove(self, numbers: Sequence[str], target: ListTarget, *, reason: str) -> set[str]:
        """End the entries of E.164 numbers; returns those that were on the list.

        Raises `RemovalRefusedError`: the internal list holds what people asked for, so leaving it needs a reason.
        """
        if target.list_name == INTERNAL and not reason.strip():
            raise RemovalRefusedError(
                "people are on the internal list because they asked not to be called: give --reason, such as a new "
                "request of that person, or name another list with --list"
            )
        note = f"removed: {reason.strip()}" if reason.strip() else ""
        with self._engine.begin() as connection:
            removed = rows.remove_entries(connection, numbers, target, removed_by=self._operator, note=note)
            if removed:
                detail = f"{len(removed)} numbers" + (f": {reason.strip()}" if reason.strip() else "")
                record_operation(
                    connection,
                    operator=self._operator,
                    action="suppress remove",
                    subject=target.list_name,
                    detail=detail,
                )
        return removed


def _add(
    connection: Connection,
    numbers: Sequence[str],
    target: ListTarget,
    *,
    source: str,
    operator: str,
    expires_at: datetime | None,
) -> int:
    rows.stage_numbers(connection, numbers)
    added = rows.add_staged(connection, target, source=source, added_by=operator, expires_at=expires_at)
    ask_back_listed(connection, target, asked_by=operator)
    if added:
        detail = f"{added} numbers from {source}"
        record_operation(connection, operator=operator, action="suppress", subject=target.list_name, detail=detail)
    return added
