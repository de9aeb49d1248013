"""The do-not-call list of this installation: who is on it is not dialed, by any campaign."""

from collections.abc import Sequence

from sqlalchemy import Engine

from campaigns.store.accounts import add_suppressions, suppressed_numbers
from campaigns.store.campaigns import record_operation


def suppress(engine: Engine, numbers: Sequence[str], *, list_name: str, source: str, operator: str) -> int:
    """Add E.164 numbers to a list. Returns how many were new; the gate refuses them from the commit on."""
    with engine.begin() as connection:
        added = add_suppressions(connection, numbers, list_name=list_name, source=source, added_by=operator)
        if added:
            detail = f"{added} numbers from {source}"
            record_operation(connection, operator=operator, action="suppress", subject=list_name, detail=detail)
        return added


def suppressed(engine: Engine, numbers: Sequence[str]) -> set[str]:
    """Those of `numbers` (E.164) that may not be dialed."""
    with engine.begin() as connection:
        return suppressed_numbers(connection, numbers)
