"""Which calls are to be asked back from their provider: put on the list in the transaction of whoever says no.

`ask_back.py` then asks, until it worked or the call no longer waits.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection

from campaigns.compliance.facts import Purpose
from campaigns.compliance.list_names import is_state_list
from campaigns.compliance.revocations import RevocationScope, Subject, speaks_of
from campaigns.store import found_calls as found
from campaigns.store import provider_cancels as rows
from campaigns.store.revocations import StoredRevocation
from campaigns.store.suppressions import ListTarget

UNSEEN = timedelta(seconds=10)
"""What went on record so shortly before a claim may have been committed after it: its gate did not know it then."""


def ask_back(connection: Connection, revocation: StoredRevocation) -> int:
    """The calls that may wait at a provider, as far as the revocation covers them; returns how many."""
    covered = [
        each.id
        for each in rows.open_attempts(connection, revocation.number)
        if _is_meant(each.subject, scope=revocation.scope, value=revocation.scope_value)
    ]
    rows.ask_back(connection, covered, revocation_id=revocation.id)
    return len(covered)


def ask_back_listed(connection: Connection, target: ListTarget, *, asked_by: str) -> None:
    """The same for the numbers that this transaction has staged for a suppression list."""
    bound = [each.id for each in rows.open_staged(connection) if _is_bound(each.subject, target)]
    rows.ask_back(connection, bound, asked_by=asked_by)


def ask_back_found(connection: Connection, attempt_ids: Sequence[UUID]) -> None:
    """Calls that turn up after they were taken for lost: somebody may have said no in between.

    A cancel that was settled because the attempt was over is taken up again.
    """
    if not attempt_ids:
        return
    found.take_up_again(connection, attempt_ids)
    found.ask_back_switched_off(connection, attempt_ids)
    waiting = rows.subjects_of(connection, attempt_ids)
    for no in found.revoked_since(connection, attempt_ids, unseen=UNSEEN):
        if no.attempt_id in waiting and _is_meant(waiting[no.attempt_id].subject, scope=no.scope, value=no.value):
            rows.ask_back(connection, [no.attempt_id], revocation_id=no.revocation_id)
    for entry in found.listed_since(connection, attempt_ids, unseen=UNSEEN):
        if entry.attempt_id in waiting and _is_bound(waiting[entry.attempt_id].subject, entry.target):
            rows.ask_back(connection, [entry.attempt_id], asked_by=entry.added_by)


def _is_meant(subject: Subject, *, scope: RevocationScope, value: str | None) -> bool:
    """An emergency is kept from nobody."""
    return subject.purpose is not Purpose.EMERGENCY and speaks_of(subject, scope=scope, value=value)


def _is_bound(subject: Subject, target: ListTarget) -> bool:
    """As the gate reads an entry (`compliance/lists.py`): a state's own list binds sales alone."""
    if is_state_list(target.list_name):
        return subject.purpose is Purpose.TELEMARKETING
    return _is_meant(subject, scope=target.scope, value=target.scope_value)
