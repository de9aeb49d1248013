"""The audit against the provider: each of its calls has exactly one attempt, and each attempt its call.

    a stretch of time: list → adopt what we had lost → find the other lost ones → explain every call
                                                     → is every attempt's call among those listed?

What the record does not know is written down once, with an alarm, and stays until a person explains it. Running it
twice, or two at once, does no harm.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine

from campaigns.providers.contract import CallReport, Listing, Sought, VoiceProvider
from campaigns.services.audit_result import AuditResult
from campaigns.services.dispatch import RunAsync
from campaigns.services.record import Fact, Recorder
from campaigns.store import provider_audit as rows
from campaigns.store.facts import raise_alarm

log = logging.getLogger(__name__)

SETTLED_AFTER = timedelta(minutes=5)
"""A create may take half a minute, our record of it some seconds, the provider's list a minute or two: younger calls
and attempts may not know each other yet."""
CLOCKS = timedelta(minutes=1)
"""How far the provider's clock may be from ours when it says that a call was created."""
FIRST_STRETCH = timedelta(minutes=10)
SHORTEST_STRETCH = timedelta(seconds=10)
LONGEST_STRETCH = timedelta(hours=1)
MANY, FEW = 2_000, 200
"""Calls of a list: with more the next stretch is half as long, with fewer twice, and none begins that holds more of our
own attempts. A call carries its transcript, some 100 kB, so that a list stays within some hundreds of MB."""
FETCHES_AT_ONCE = 10
MOST_FETCHES = 5_000
"""Calls asked after one by one in an audit, where no list can be had: some ten minutes at a busy provider."""


_NUMBER, _NO_DIGIT = re.compile(r"\+?[\d\s().-]{7,}"), re.compile(r"\D")


class UnknownAuditAccountError(Exception):
    """The database does not know the account. The message says what to do."""


class AuditSpanError(Exception):
    """There is nothing to audit in that span. The message says what is allowed."""


@dataclass(slots=True)
class _Walk:
    """One audit on its way through time."""

    account: rows.AuditedAccount
    since: datetime
    until: datetime
    checked_to: datetime
    """Attempts claimed before this have been looked for."""
    proven_until: datetime
    """Where the first list was that could not be had in full."""
    recent: deque[tuple[datetime, frozenset[str]]] = field(default_factory=deque)
    """Calls of the stretches just listed, with the end of each."""
    sought: set[UUID] = field(default_factory=set)
    found: set[UUID] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    fetches: int = 0

    def count(self, name: str, n: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + n

    def listed(self) -> frozenset[str]:
        return frozenset().union(*(ids for _, ids in self.recent))

    def forget(self, *, before: datetime) -> None:
        while self.recent and self.recent[0][0] < before:
            self.recent.popleft()


class ProviderAudit:
    """Audits accounts of this process's providers."""

    def __init__(
        self, engine: Engine, recorder: Recorder, providers: Mapping[str, VoiceProvider], *, run_async: RunAsync
    ) -> None:
        self._engine = engine
        self._recorder = recorder
        self._providers = providers
        self._run_async = run_async

    def run(self, account: str, *, since: datetime) -> AuditResult:
        """Compare everything from `since` until five minutes ago.

        Raises `ProviderUnavailableError`, `UnknownAuditAccountError`, `AuditSpanError`.
        """
        with self._engine.begin() as connection:
            audited = rows.audited_account(connection, account)
        if audited is None:
            raise UnknownAuditAccountError(f"the database knows no account {account!r}; `ringfence migrate` adds it")
        until = audited.now_at - SETTLED_AFTER
        if since >= until:
            raise AuditSpanError(
                f"calls younger than 5 minutes cannot be judged yet; give a time before {until.isoformat()}"
            )
        walk = _Walk(audited, since, until, checked_to=since, proven_until=until)
        lists_calls = self._providers[account].capabilities.lists_calls
        if lists_calls:
            self._by_lists(walk)
        else:
            self._check_attempts(walk, claimed_to=until)
        return self._result(walk, lists_calls=lists_calls)

    def _by_lists(self, walk: _Walk) -> None:
        at, length = walk.since - CLOCKS, FIRST_STRETCH
        while at < walk.account.now_at:
            to = self._stretch_end(walk, at, length)
            listing = self._ask(walk, created_from=at, created_to=to)
            if not listing.complete and len(listing.reports) > FEW and to - at > SHORTEST_STRETCH:
                length = max(SHORTEST_STRETCH, (to - at) / 2)
                continue
            if not listing.complete:
                walk.count("gaps")
                walk.proven_until = min(walk.proven_until, max(at, walk.since))
            self._stretch(walk, listing.reports, at=at, to=to)
            length, at = _next_length(length, calls=len(listing.reports)), to

    def _stretch_end(self, walk: _Walk, at: datetime, length: timedelta) -> datetime:
        with self._engine.begin() as connection:
            full_at = rows.attempt_after(connection, walk.account.name, claimed_from=at, attempts=MANY)
        to = at + length if full_at is None else min(at + length, full_at)
        return min(max(to, at + SHORTEST_STRETCH), walk.account.now_at)

    def _ask(self, walk: _Walk, *, created_from: datetime, created_to: datetime) -> Listing:
        provider = self._providers[walk.account.name]
        listing: Listing = self._run_async(
            provider.list_calls(created_from=created_from, created_to=created_to)
        ).result()
        return listing

    def _stretch(self, walk: _Walk, reports: Sequence[CallReport], *, at: datetime, to: datetime) -> None:
        seen = walk.listed()
        fresh = [
            each
            for each in reports
            if each.provider_call_id not in seen and _created_at(each, walk.account.now_at) < walk.until
        ]
        walk.recent.append((to, frozenset(each.provider_call_id for each in reports)))
        self._adopt_echoed(walk, fresh)
        self._find_lost(walk, claimed_from=at - SETTLED_AFTER, claimed_to=min(to, walk.until))
        self._explain(walk, fresh)
        claimed_to = min(to - SETTLED_AFTER, walk.until)
        if claimed_to > walk.checked_to:
            self._check_attempts(walk, claimed_to=claimed_to)
            walk.forget(before=claimed_to - CLOCKS)

    # --- what we had lost ----------------------------------------------------------------------------------------

    def _adopt_echoed(self, walk: _Walk, reports: Sequence[CallReport]) -> None:
        """Calls that name an attempt which has none: its answer was lost on the way."""
        with self._engine.begin() as connection:
            known, owned = self._known(connection, walk, reports)
        self._adopt(
            walk,
            [
                each
                for each in reports
                if each.attempt_id in known and known[each.attempt_id] is None and each.provider_call_id not in owned
            ],
        )

    def _find_lost(self, walk: _Walk, *, claimed_from: datetime, claimed_to: datetime) -> None:
        """Attempts without a call, looked for by whatever else the provider keeps."""
        with self._engine.begin() as connection:
            lost = rows.lost_attempts(
                connection, walk.account.name, claimed_from=max(claimed_from, walk.since), claimed_to=claimed_to
            )
        if not lost:
            return
        sought = [Sought(each.id, each.number, each.line, each.claimed_at, each.send_by) for each in lost]
        provider = self._providers[walk.account.name]
        listing: Listing = self._run_async(
            provider.find(sought, created_from=lost[0].claimed_at - CLOCKS, created_to=lost[-1].send_by + SETTLED_AFTER)
        ).result()
        walk.sought |= {each.id for each in lost} if listing.complete else set()
        with self._engine.begin() as connection:
            owned = rows.owners(connection, walk.account.name, [each.provider_call_id for each in listing.reports])
        claims = [each.provider_call_id for each in listing.reports]
        self._adopt(
            walk,
            [
                each
                for each in listing.reports
                if each.attempt_id and each.provider_call_id not in owned and claims.count(each.provider_call_id) == 1
            ],
        )

    def _adopt(self, walk: _Walk, reports: Sequence[CallReport]) -> None:
        facts = [Fact(each.attempt_id, each) for each in reports if each.attempt_id is not None]
        if facts:
            self._recorder.run(facts)
            walk.found |= {fact.attempt_id for fact in facts}
            log.info("audit_adopted account=%s attempts=%d", walk.account.name, len(facts))

    # --- every call has its attempt ------------------------------------------------------------------------------

    def _explain(self, walk: _Walk, reports: Sequence[CallReport]) -> None:
        strays = list[CallReport]()
        with self._engine.begin() as connection:
            known, owned = self._known(connection, walk, reports)
            for report in reports:
                walk.count("calls")
                holders = owned.get(report.provider_call_id, [])
                if len(holders) > 1:
                    walk.count("shared")
                    rows.alarm_once(
                        connection,
                        kind="call_shared_by_attempts",
                        attempt_id=holders[-1],
                        detail="one call, two attempts",
                    )
                elif holders:
                    walk.count("matched")
                elif _is_foreign(report, known, lines=walk.account.lines):
                    walk.count("foreign")
                else:
                    strays.append(report)
            self._write_strays(connection, walk, strays, known)

    def _write_strays(
        self, connection: Connection, walk: _Walk, strays: Sequence[CallReport], known: Mapping[UUID, str | None]
    ) -> None:
        numbers = [each.origin.number for each in strays if each.origin and each.origin.number]
        waiting = rows.waiting_calls(connection, numbers) if numbers else {}
        new = rows.put_strays(
            connection,
            walk.account.name,
            [
                rows.NewStray(
                    each.provider_call_id,
                    created_at=each.origin.created_at if each.origin else None,
                    attempt_id=each.attempt_id if each.attempt_id in known else None,
                    waiting_calls=waiting.get(each.origin.number or "", []) if each.origin else [],
                )
                for each in strays
            ],
        )
        walk.count("new_strays", len(new))
        by_id = {each.provider_call_id: each for each in strays}
        for provider_call_id in new:
            attempt_id = by_id[provider_call_id].attempt_id
            kind = "second_provider_call" if attempt_id in known else "stray_call"
            log.error("alarm kind=%s account=%s provider_call_id=%s", kind, walk.account.name, provider_call_id)
            detail = f"{walk.account.name}: {provider_call_id}"
            raise_alarm(connection, kind=kind, attempt_id=attempt_id if attempt_id in known else None, detail=detail)

    def _known(
        self, connection: Connection, walk: _Walk, reports: Sequence[CallReport]
    ) -> tuple[dict[UUID, str | None], dict[str, list[UUID]]]:
        """What the record says of the attempts that these calls name, and of the calls themselves."""
        echoes = [each.attempt_id for each in reports if each.attempt_id is not None]
        known = rows.echoed(connection, walk.account.name, echoes)
        return known, rows.owners(connection, walk.account.name, [each.provider_call_id for each in reports])

    # --- every attempt has its call ------------------------------------------------------------------------------

    def _check_attempts(self, walk: _Walk, *, claimed_to: datetime) -> None:
        listed, unseen = walk.listed(), list[rows.CalledAttempt]()
        with self._engine.begin() as connection:
            for page in rows.called_attempts(
                connection, walk.account.name, claimed_from=walk.checked_to, claimed_to=claimed_to
            ):
                unseen += [each for each in page if each.provider_call_id not in listed]
        walk.checked_to = claimed_to
        while unseen and walk.fetches < MOST_FETCHES:
            batch, unseen = unseen[:FETCHES_AT_ONCE], unseen[FETCHES_AT_ONCE:]
            walk.fetches += len(batch)
            self._fetch(walk, batch)
        walk.count("unproven", len(unseen))

    def _fetch(self, walk: _Walk, attempts: Sequence[rows.CalledAttempt]) -> None:
        """Not in the list is not yet gone: the provider is asked for the call itself."""
        answers = self._run_async(_fetch_all(self._providers[walk.account.name], attempts)).result()
        for attempt, answer in zip(attempts, answers, strict=True):
            if isinstance(answer, CallReport):
                continue
            if isinstance(answer, BaseException):
                log.warning("audit_unproven attempt_id=%s cause=%s", attempt.id, type(answer).__name__)
                walk.count("unproven")
                continue
            walk.count("missing")
            with self._engine.begin() as connection:
                detail = "the provider does not know the call of this attempt"
                if rows.alarm_once(connection, kind="call_missing", attempt_id=attempt.id, detail=detail):
                    log.error("alarm kind=call_missing attempt_id=%s", attempt.id)

    def _result(self, walk: _Walk, *, lists_calls: bool) -> AuditResult:
        account = walk.account.name
        with self._engine.begin() as connection:
            held = rows.count_held(connection, account, claimed_from=walk.since, claimed_to=walk.until)
            strays = rows.count_open_strays(connection, account)
        absent = len(walk.sought - walk.found)
        result = AuditResult(
            account,
            walk.since,
            walk.until,
            walk.proven_until,
            lists_calls,
            found=len(walk.found),
            absent=absent,
            held=held,
            strays=strays,
            **walk.counts,
        )
        log.info("audited %s", result)
        return result


async def _fetch_all(
    provider: VoiceProvider, attempts: Sequence[rows.CalledAttempt]
) -> list[CallReport | BaseException | None]:
    return await asyncio.gather(*(provider.fetch(each.provider_call_id) for each in attempts), return_exceptions=True)


def _is_foreign(report: CallReport, known: Mapping[UUID, str | None], *, lines: frozenset[str]) -> bool:
    """Certainly not ours: a call that somebody made to us, or one on another line that does not carry our key.

    A key that only this record does not know may be of a campaign that a restore forgot.
    """
    origin = report.origin
    if origin is None or report.attempt_id in known:
        return False
    return origin.inbound or (report.attempt_id is None and line_key(origin.line) not in map(line_key, lines))


def _created_at(report: CallReport, default: datetime) -> datetime:
    """A call without a time goes on at this moment: the next audit finds it dated."""
    return (report.origin.created_at if report.origin else None) or default


def line_key(line: str | None) -> str | None:
    """A line by its digits if it is a number, which providers write with and without a +; else as it stands."""
    return _NO_DIGIT.sub("", line) if line is not None and _NUMBER.fullmatch(line) else line


def _next_length(length: timedelta, *, calls: int) -> timedelta:
    if calls > MANY:
        return max(SHORTEST_STRETCH, length / 2)
    return min(LONGEST_STRETCH, length * 2) if calls < FEW else length
