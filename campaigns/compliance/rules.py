"""The law in force, as values: what a rule file says once it has been read and found sound."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from campaigns.compliance.facts import ConsentLevel, Purpose

WARN_AFTER = timedelta(days=120)
"""CALLING-RULES §9: rules change several times a year, so a file this old deserves a look."""
REFUSE_AFTER = timedelta(days=400)
"""CALLING-RULES §9: a rule file older than this dials no real account."""


class Span(NamedTuple):
    """Local hours `[opens, closes)`, both measured from local midnight; `closes` may be 24 h."""

    opens: timedelta
    closes: timedelta

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"


ALL_DAY = Span(timedelta(), timedelta(hours=24))
Week = tuple[Span | None, ...]
"""Seven days, Monday first; None: no calls that day."""
EVERY_DAY: Week = (ALL_DAY,) * 7


def _clock(since_midnight: timedelta) -> str:
    minutes = since_midnight // timedelta(minutes=1)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def overlap(first: Span | None, second: Span | None) -> Span | None:
    """The hours that both allow; None if there are none."""
    if first is None or second is None:
        return None
    opens, closes = max(first.opens, second.opens), min(first.closes, second.closes)
    return Span(opens, closes) if opens < closes else None


class AiVoice(StrEnum):
    """Whether a state lets an artificial voice sell to a person who consented in writing."""

    ALLOW_WITH_PEWC = "allow_with_pewc"
    REQUIRES_EBR = "requires_ebr"
    """Only to customers of an established business relationship."""
    DENY_PENDING_COUNSEL = "deny_pending_counsel"


@dataclass(frozen=True, slots=True)
class DatedDays:
    """Dates that a file lists one by one. Past the last one every day counts as listed: the list has run out."""

    dates: Mapping[date, str]
    last: date

    def name_of(self, day: date) -> str | None:
        """Why that local date is special; None: it is an ordinary one."""
        if day > self.last:
            return f"the list of dates ends on {self.last}"
        return self.dates.get(day)


@dataclass(frozen=True, slots=True)
class HolidayHours:
    """Shorter hours on listed dates."""

    hours: Span
    days: DatedDays


class CapCounts(StrEnum):
    """What a cap counts. Calls to the number and to the person are one count."""

    ATTEMPTS = "attempts"
    ATTEMPTS_ON_DEBT = "attempts_on_debt"
    CONVERSATIONS_ON_DEBT = "conversations_on_debt"


@dataclass(frozen=True, slots=True)
class RelationshipTerms:
    """How long an established business relationship lasts, in calendar months."""

    transaction_months: int
    inquiry_months: int


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `max_attempts` whose age is under `window`."""

    rule_id: str
    max_attempts: int
    window: timedelta
    applies_to: frozenset[str]
    """Purposes, or `exempt_` and the name of a consent exemption."""
    citation: str
    counts: CapCounts = CapCounts.ATTEMPTS


@dataclass(frozen=True, slots=True, eq=False)
class Jurisdiction:
    """What one country or state says. None: it says nothing of its own."""

    key: str
    name: str
    country: str
    citation: str
    confidence: str
    as_of: date
    zones: tuple[str, ...]
    note: str = ""
    sales_hours: Week | None = None
    """For sales calls by an artificial voice: solicitation and device hours cut together."""
    informational_hours: Week | None = None
    """Hours of a device law that binds calls of every purpose."""
    holiday_ban: DatedDays | None = None
    holiday_hours: HolidayHours | None = None
    caps: tuple[Cap, ...] = ()
    consent: Mapping[Purpose, ConsentLevel | None] | None = None
    ai_voice: AiVoice = AiVoice.ALLOW_WITH_PEWC
    state_dnc_list: bool = False
    emergency_ban: bool = False
    dnc_max_age: timedelta | None = None
    relationship: RelationshipTerms | None = None
    no_retry_after_hangup: bool = False
    """An automatic device may not call a number again that hung up on it."""

    @property
    def is_country(self) -> bool:
        return self.key == self.country


@dataclass(frozen=True, slots=True)
class Profile:
    """How the rules are applied where the law leaves a choice."""

    informational_hours: Span
    reassigned_denied: frozenset[str]
    """Answers of the reassigned-numbers database that refuse a call."""
    min_gap: timedelta = timedelta()
    """Least time between calls of different campaigns or runs to one person."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleBook:
    """Every rule in force. Compared by identity: it is loaded once and lives as long as the process."""

    jurisdictions: Mapping[str, Jurisdiction]
    profile: Profile
    rule_order: tuple[str, ...]
    as_of: date
    """Of the oldest file in force."""
    digest: str
    """SHA-256 over the canonical content of all files in force."""

    def rank(self, rule_id: str) -> int:
        """Where a rule stands in `rule_order`; an unlisted one comes last."""
        return _rank(self.rule_order, rule_id)

    def state(self, code: str) -> Jurisdiction | None:
        """The United States' state or territory of a two-letter code."""
        return self.jurisdictions.get(f"US-{code}")

    def age(self, now: datetime) -> timedelta:
        """How long ago the oldest file in force was checked against the law."""
        return timedelta(days=now.toordinal() - self.as_of.toordinal())

    def is_old(self, now: datetime) -> bool:
        """Old enough to warn an operator."""
        return self.age(now) >= WARN_AFTER

    def is_stale(self, now: datetime) -> bool:
        """Too old to dial any real account."""
        return self.age(now) >= REFUSE_AFTER


@lru_cache(maxsize=4096)
def _rank(order: tuple[str, ...], rule_id: str) -> int:
    ranks = (index for index, pattern in enumerate(order) if fnmatchcase(rule_id, pattern))
    return next(ranks, len(order))


def week_of(*, weekday: Span | None, saturday: Span | None, sunday: Span | None) -> Week:
    """A week from the three kinds of day that the laws name."""
    return (weekday,) * 5 + (saturday, sunday)


def cut(first: Week | None, second: Week | None) -> Week | None:
    """The hours that both weeks allow; a week that is None does not limit."""
    if first is None or second is None:
        return first or second
    return tuple(overlap(one, other) for one, other in zip(first, second, strict=True))


def frozen_dates(dates: Mapping[date, str]) -> DatedDays:
    """Dates as a file lists them, at least one."""
    return DatedDays(dates=MappingProxyType(dict(dates)), last=max(dates))
