"""What poll and reconcile share: whose look is due, and what the provider's lists say.

One account that cannot be asked, or one stretch of time that cannot be listed, keeps no other from being looked at.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from campaigns.calls.states import AttemptState
from campaigns.providers.contract import Listing, ProviderUnavailableError, Sought, VoiceProvider
from campaigns.services.dispatch import RunAsync
from campaigns.services.plans import MOST_SKEW
from campaigns.store import facts as fact_rows
from campaigns.store import repair as rows

log = logging.getLogger(__name__)

Cluster = Sequence[rows.DueAttempt]
"""Attempts that one list can hold, the newest first."""

CLUSTER_SPAN = timedelta(minutes=10)
"""Between the newest and the oldest of a cluster: one fate of last week must not make a list a week long."""
MOST_LISTS = 10
"""Lists of an account a pass; the clusters left over have their look half a minute later."""
MOST_FAILURES = 2
"""Lists of an account that may fail until the rest of them waits for the next pass: each may cost a time-out."""
LEASE = timedelta(seconds=30)
"""How long a look is put off while it is being made; what could not be asked comes up again after it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One list of the provider's, and the attempts for which it was made."""

    attempts: Cluster
    listing: Listing


class Looks:
    """The looks of this process: at the accounts that its settings name."""

    def __init__(self, engine: Engine, providers: Mapping[str, VoiceProvider], *, run_async: RunAsync) -> None:
        self._engine = engine
        self._providers = providers
        self._run_async = run_async
        self._strangers: frozenset[str] = frozenset()

    def due(self, states: Sequence[AttemptState], *, most: int) -> dict[str, list[rows.DueAttempt]]:
        """Account → attempts in `states` whose look is due; they are this process's for a while."""
        accounts = sorted(self._providers)
        with self._engine.begin() as connection:
            due = rows.lease_due_attempts(connection, states, accounts=accounts, lease=LEASE, most=most)
            strangers = frozenset(rows.accounts_without_looks(connection, states, accounts=accounts))
        for account in sorted(strangers - self._strangers):
            log.error("account_not_in_settings account=%s: its calls cannot be asked after from here", account)
        self._strangers = strangers
        by_account = defaultdict[str, list[rows.DueAttempt]](list)
        for attempt in due:
            by_account[attempt.account].append(attempt)
        return dict(by_account)

    def can_list(self, account: str) -> bool:
        """Whether absence can be proven at this account's provider."""
        return self._providers[account].capabilities.lists_calls

    def lists(self, account: str, wanted: Sequence[Cluster]) -> Iterator[Listed]:
        """A list for each cluster, as far as they can be had; the clusters left out are simply not in the answer."""
        if self.can_list(account):
            yield from self._asked(account, wanted, self._listing)

    def finds(self, account: str, wanted: Sequence[Cluster]) -> Iterator[Listed]:
        """The same, by what each provider keeps of a call: whether these very attempts are there."""
        yield from self._asked(account, wanted, self._finding)

    def _asked(
        self, account: str, wanted: Sequence[Cluster], ask: Callable[[str, Cluster], Listing]
    ) -> Iterator[Listed]:
        failures = 0
        for cluster in wanted[:MOST_LISTS]:
            try:
                listing = ask(account, cluster)
            except ProviderUnavailableError as error:
                log.warning("list_failed account=%s attempts=%d cause=%s", account, len(cluster), error)
                failures += 1
                if failures == MOST_FAILURES:
                    return
            else:
                yield Listed(cluster, listing)

    def check_clocks(self) -> None:
        """Ask accounts that may not dial because of their clock for a list of one second.

        Otherwise they would never dial again: no dial shows that the clock was set right.
        """
        with self._engine.begin() as connection:
            off_clock = rows.accounts_off_clock(connection, most=MOST_SKEW)
        for account, now_at in off_clock.items():
            if account not in self._providers:
                continue
            try:
                self._list(account, created_from=now_at - timedelta(seconds=1), created_to=now_at)
            except ProviderUnavailableError as error:
                log.warning("clock_check_failed account=%s cause=%s", account, error)

    def _listing(self, account: str, cluster: Cluster) -> Listing:
        created_from, created_to = list_span(cluster)
        return self._list(account, created_from=created_from, created_to=created_to)

    def _finding(self, account: str, cluster: Cluster) -> Listing:
        created_from, created_to = list_span(cluster)
        sought = [sought_of(attempt) for attempt in cluster]
        provider = self._providers[account]
        return self._ask(account, provider.find(sought, created_from=created_from, created_to=created_to))

    def _list(self, account: str, *, created_from: datetime, created_to: datetime) -> Listing:
        provider = self._providers[account]
        return self._ask(account, provider.list_calls(created_from=created_from, created_to=created_to))

    def _ask(self, account: str, question: Coroutine[Any, Any, Listing]) -> Listing:
        listing: Listing = self._run_async(question).result()
        if listing.clock_skew is not None:
            with self._engine.begin() as connection:
                fact_rows.note_trouble(connection, account, cooldown=None, skew=listing.clock_skew)
        return listing


def sought_of(attempt: rows.DueAttempt) -> Sought:
    """What the provider has to look for."""
    return Sought(attempt.id, attempt.number, attempt.line, attempt.claimed_at, attempt.send_by)


def clusters(attempts: Sequence[rows.DueAttempt]) -> list[Cluster]:
    """The attempts by when they were made; newest first, for that is where calls are going on."""
    found = list[list[rows.DueAttempt]]()
    for attempt in sorted(attempts, key=lambda each: each.claimed_at, reverse=True):
        if found and found[-1][0].claimed_at - attempt.claimed_at <= CLUSTER_SPAN:
            found[-1].append(attempt)
        else:
            found.append([attempt])
    return [*found]


def list_span(cluster: Cluster) -> tuple[datetime, datetime]:
    """The span in which the provider must have created these calls, with room for clocks that differ a little."""
    created_from = min(attempt.claimed_at for attempt in cluster) - timedelta(seconds=60)
    created_to = max(attempt.send_by for attempt in cluster) + timedelta(minutes=5)
    return created_from, created_to
