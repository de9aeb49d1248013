"""Restored: a database that came back from a backup, or was promoted, dials nobody until it is known whom it forgot.

A backup knows nothing of the calls that were made after it. Whoever was called then is still due in it. So every
account that dials real people waits, whatever else is switched on, until `ringfence reconcile --since T` has compared
its provider's calls with the record. The claim looks by itself as well: nothing is dialed before this has run.
"""

import logging
from datetime import timedelta

from sqlalchemy import Engine

from campaigns.store import restores as rows
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
