"""Restored: a database that came back from a backup, or was promoted, dials nobody until it is known whom it forgot.

A backup knows nothing of the calls that were made after it. Whoever was called then is still due in it. So every
account that dials real people waits, whatever else is switched on, until `ringfence reconcile --since T` has compared
its provider's calls with the record. The claim looks by itself as well: nothing is dialed before this has run.
"""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Engine

from campaigns.services.audit_result import AuditResult
from campaigns.services.provider_audit import SETTLED_AFTER
from campaigns.store import restores as rows
from campaigns.store.attention import resolve_alarms_of
from campaigns.store.campaigns import record_operation
from campaigns.store.facts import raise_alarm

log = logging.getLogger(__name__)

REASON = "the database was restored, copied or promoted and may have forgotten calls; see `ringfence attention`"
MARGIN = timedelta(hours=1)
"""Looked back before the newest attempt on record: clocks, and attempts that committed late."""


class Restored:
    """One look; two at once do no harm."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self) -> list[str]:
        """Returns the accounts that wait from now on; none while this is the database that it was."""
        with self._engine.begin() as connection:
            former = rows.forget_foreign_identity(connection)
            held = rows.hold_real_accounts(connection, reason=REASON, margin=MARGIN) if former is not None else []
            for account in held:
                raise_alarm(connection, kind="database_restored", attempt_id=None, detail=account)
        if held:
            log.error("database_restored accounts=%s", ",".join(held))
        return held


@dataclass(frozen=True, slots=True)
class Lifted:
    """What an audit did to an account's hold. `why_not` None: it is lifted, or there was none (`held` False)."""

    held: bool
    why_not: str | None = None


def lift(engine: Engine, audit: AuditResult, *, operator: str, accept_strays: bool) -> Lifted:
    """Let an account dial again whose provider knows no call that the record does not explain.

    `accept_strays`: a person has looked at what is left, and lets it dial all the same.
    """
    with engine.begin() as connection:
        hold = next((each for each in rows.unproven_accounts(connection) if each.account == audit.account), None)
        if hold is None:
            return Lifted(held=False)
        if not audit.proves_all and not accept_strays:
            return Lifted(True, _unproven(audit))
        if not rows.lift_hold(connection, audit.account, since=audit.since, until=audit.until):
            return Lifted(True, _uncovered(hold, audit))
        how = "accepting what is unexplained" if not audit.proves_all else "everything is explained"
        detail = f"{audit.since.isoformat()} to {audit.until.isoformat()}, {how}"
        resolve_alarms_of(connection, audit.account, kinds=("database_restored",), operator=operator)
        record_operation(connection, operator=operator, action="lift hold", subject=audit.account, detail=detail)
    log.info("hold_lifted account=%s", audit.account)
    return Lifted(held=True)


def _unproven(audit: AuditResult) -> str:
    if audit.gaps and replace(audit, gaps=0).explained:
        at = audit.proven_until.isoformat(timespec="seconds")
        return f"its provider cannot show every call since {at} yet; run this again later, or add --accept-strays"
    if audit.explained:
        return "its provider lists no calls, so nobody can prove what it dialed; look there, then add --accept-strays"
    return "something is unexplained: see `ringfence attention`, then run this again, or add --accept-strays"


def _uncovered(hold: rows.UnprovenAccount, audit: AuditResult) -> str:
    if audit.since > hold.since:
        return f"it has to be looked at from {hold.since.isoformat()}; give that as --since"
    again_at = hold.held_at + SETTLED_AFTER
    return f"its last calls are too young to be judged; run this again after {again_at.isoformat(timespec='seconds')}"
