"""The daily audit: every account's calls of the last day, and of every day on which nobody could look."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Engine

from campaigns.providers.contract import ProviderUnavailableError, VoiceProvider
from campaigns.services.audit_result import AuditResult
from campaigns.services.provider_audit import ProviderAudit
from campaigns.store import provider_audit as rows

log = logging.getLogger(__name__)

EVERY = timedelta(days=1)
LEASE = timedelta(hours=1)
"""Longer than any audit of a day; a provider that was away is asked again after it."""
OVERLAP = timedelta(minutes=10)
"""Looked at once more: attempts that committed late, lists that were a little behind."""
MOST_BACK = timedelta(days=30)
"""Providers keep their calls for about that long; older gaps are for `ringfence reconcile` and a person."""


class DailyAudit:
    """One account a tick, when its day is over."""

    def __init__(self, engine: Engine, audit: ProviderAudit, providers: Mapping[str, VoiceProvider]) -> None:
        self._engine = engine
        self._audit = audit
        self._accounts = sorted(providers)

    def run(self) -> AuditResult | None:
        """None: nothing is due, or the provider could not be asked."""
        with self._engine.begin() as connection:
            due = rows.lease_due_audit(connection, self._accounts, lease=LEASE)
        if due is None:
            return None
        since = (due.audited_until or due.now_at - EVERY) - OVERLAP
        try:
            result = self._audit.run(due.account, since=max(since, due.now_at - MOST_BACK))
        except ProviderUnavailableError as error:
            log.warning("audit_failed account=%s cause=%s", due.account, error)
            return None
        if not result.unproven:
            # What could not be listed in full (a gateway forgets a live call until it ends) is looked at tomorrow.
            with self._engine.begin() as connection:
                rows.note_audited(connection, due.account, until=result.proven_until, next_after=EVERY)
        return result
