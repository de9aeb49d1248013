"""Revoke: when it returns, no request to the number can leave any more.

    commit the revocation (waiting calls blocked with it) → wait one permit lifetime → note the instant, return

A permit judged on older facts lapses within that second. Both instants are on record.
"""

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from sqlalchemy import Connection, Engine

from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.compliance.facts import Purpose
from campaigns.compliance.revocations import RevocationScope, same_seller
from campaigns.services.asking_back import ask_back
from campaigns.services.control import Wait
from campaigns.services.opt_out import block_scheduled
from campaigns.store import revocations as rows
from campaigns.store.campaigns import campaign_names, machine_now, record_operation


class RevocationRefusedError(Exception):
    """It cannot be put on record like this; nothing was. The message says what is allowed instead."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """A revocation that is in force. `asked_back`: calls that may wait at a provider and are cancelled there."""

    revocation_id: int
    scope: RevocationScope
    scope_value: str | None
    received_at: datetime
    effective_at: datetime
    returned_at: datetime
    calls_blocked: int
    asked_back: int


class Revoke:
    """For one operator. `wait` really waits that long; tests pass their own."""

    def __init__(self, engine: Engine, *, operator: str, wait: Wait) -> None:
        self._engine = engine
        self._operator = operator
        self._wait = wait

    def run(
        self,
        number: str,
        *,
        scope: RevocationScope = "all",
        value: str | None = None,
        channel: str = "operator",
        words: str | None = None,
        received_at: datetime | None = None,
    ) -> Revoked:
        """Take back what the person behind `number` (E.164) consented to.

        `received_at`: when the person said so, if that was earlier than now; the revocation beats what was obtained up
        to then. Raises `RevocationRefusedError`.
        """
        new = rows.NewRevocation(number, scope, value, channel=channel, words=words, received_at=received_at)
        with self._engine.begin() as connection:
            _check(connection, new)
            revocation = rows.add_revocation(connection, new, recorded_by=self._operator)
            if revocation is None:
                raise LookupError("a revocation without an attempt is always new")
            blocked, asked_back = block_scheduled(connection, revocation), ask_back(connection, revocation)
            record_operation(
                connection, operator=self._operator, action="revoke", subject=f"revocation {revocation.id}"
            )
        self._wait(PERMIT_LIFETIME)
        with self._engine.begin() as connection:
            # What was locked by somebody else, released or created in the meantime.
            blocked += block_scheduled(connection, revocation)
            asked_back = max(asked_back, ask_back(connection, revocation))
            returned_at = rows.add_return(connection, revocation.id, calls_blocked=blocked)
        return Revoked(
            revocation_id=revocation.id,
            scope=scope,
            scope_value=value,
            received_at=revocation.received_at,
            effective_at=revocation.effective_at,
            returned_at=returned_at,
            calls_blocked=blocked,
            asked_back=asked_back,
        )


def _check(connection: Connection, new: rows.NewRevocation) -> None:
    """A scope that no call can ever match would look like a revocation and be none."""
    if new.received_at is not None and new.received_at > machine_now(connection):
        raise RevocationRefusedError("the time at which it was received is in the future; give the past one, or none")
    if new.scope == "all" and new.scope_value is not None:
        raise RevocationRefusedError("the scope all covers everything and takes no value; leave it out")
    if new.scope != "all" and new.scope_value is None:
        raise RevocationRefusedError(f"the scope {new.scope} needs a value: which {new.scope}?")
    if new.scope_value is not None:
        _check_value(connection, new.scope, new.scope_value)


def _check_value(connection: Connection, scope: RevocationScope, value: str) -> None:
    match scope:
        case "purpose":
            known = [purpose.value for purpose in Purpose]
        case "campaign":
            known = campaign_names(connection)
        case _:
            known = rows.known_sellers(connection)
    found = any(same_seller(value, each) for each in known) if scope == "seller" else value in known
    if not found:
        nearest = get_close_matches(value, known, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else "the scope all covers everything"
        raise RevocationRefusedError(f"there is no {scope} {value!r} here; {hint}")
