"""What binds one kind of call in one set of jurisdictions: looked up once, used for every call there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache

from campaigns.compliance.facts import CallingHours, ConsentLevel, DayHours, Purpose
from campaigns.compliance.rules import (
    ALL_DAY,
    EVERY_DAY,
    AiVoice,
    Cap,
    DatedDays,
    Jurisdiction,
    RelationshipTerms,
    RuleBook,
    Span,
    Week,
    cut,
    overlap,
)

POLICY_HOURS = "POL-HOURS-INFO"
CAMPAIGN_HOURS = "CAMPAIGN-HOURS"

_RANK = {None: 0, ConsentLevel.PEC: 1, ConsentLevel.PEWC: 2}


@dataclass(frozen=True, slots=True, eq=False)
class WindowRule:
    """One rule about local hours. Compared by identity, so that timelines can be kept by it."""

    rule_id: str
    week: Week
    dated: DatedDays | None = None
    dated_hours: Span | None = None
    """What is left of a dated day; None: nothing."""

    def name_of(self, day: date) -> str | None:
        """Why this rule treats a local date unlike its weekday; None: it does not."""
        return self.dated.name_of(day) if self.dated else None

    def hours_on(self, day: date) -> Span | None:
        """The hours of one local date; None: closed."""
        usual = self.week[day.weekday()]
        return usual if self.name_of(day) is None else overlap(usual, self.dated_hours)


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """Everything that a purpose and some jurisdictions bring to a decision. Compared by identity."""

    windows: tuple[WindowRule, ...]
    caps: tuple[Cap, ...]
    exempt_caps: tuple[Cap, ...]
    """Caps that bind only a call made under an exemption from consent."""
    consent: ConsentLevel | None
    """None: no consent is asked for."""
    ai_voice: tuple[tuple[str, AiVoice], ...]
    """Sales calls only: states that limit artificial voices, in order."""
    emergency_bans: tuple[str, ...]
    dnc_max_age: timedelta | None
    relationship: RelationshipTerms | None = None
    """The shortest terms of all jurisdictions; None: dates of dealings make no relationship here."""
    hangup_bans: tuple[str, ...] = ()
    """Jurisdictions that forbid an automatic device to call back a number that hung up."""
    min_gap: timedelta = timedelta()
    own_lists: tuple[str, ...] = ()
    """Sales calls only: states that keep a do-not-call list of their own."""


@lru_cache(maxsize=4096)
def law_for(rules: RuleBook, jurisdictions: tuple[str, ...], purpose: Purpose) -> Law:
    """The law of some jurisdictions on one purpose. An emergency is bound by numbers alone (CALLING-RULES §9)."""
    if purpose is Purpose.EMERGENCY:
        return Law((), (), (), None, (), (), None)
    bound = [rules.jurisdictions[key] for key in jurisdictions]
    sales = purpose is Purpose.TELEMARKETING
    caps = [cap for one in bound for cap in one.caps]
    return Law(
        windows=tuple(_windows(bound, purpose, rules.profile.informational_hours)),
        caps=tuple(cap for cap in caps if purpose in cap.applies_to),
        exempt_caps=tuple(cap for cap in caps if any(name.startswith("exempt_") for name in cap.applies_to)),
        consent=_strictest_consent(bound, purpose),
        ai_voice=tuple((one.key, one.ai_voice) for one in bound if sales and one.ai_voice != AiVoice.ALLOW_WITH_PEWC),
        emergency_bans=tuple(one.key for one in bound if sales and one.emergency_ban),
        dnc_max_age=min((one.dnc_max_age for one in bound if sales and one.dnc_max_age), default=None),
        relationship=_shortest_relationship(bound),
        hangup_bans=tuple(one.key for one in bound if one.no_retry_after_hangup),
        min_gap=rules.profile.min_gap,
        own_lists=tuple(one.key for one in bound if sales and one.state_dnc_list),
    )


def _shortest_relationship(bound: list[Jurisdiction]) -> RelationshipTerms | None:
    terms = [one.relationship for one in bound if one.relationship is not None]
    if not terms:
        return None
    return RelationshipTerms(
        transaction_months=min(one.transaction_months for one in terms),
        inquiry_months=min(one.inquiry_months for one in terms),
    )


def _strictest_consent(bound: list[Jurisdiction], purpose: Purpose) -> ConsentLevel | None:
    levels = [one.consent[purpose] for one in bound if one.consent is not None]
    return max(levels, key=lambda level: _RANK[level], default=ConsentLevel.PEWC)


def satisfies(level: ConsentLevel, needed: ConsentLevel) -> bool:
    """Whether a consent of this level is enough: written consent covers what express consent does."""
    return _RANK[level] >= _RANK[needed]


def _windows(bound: list[Jurisdiction], purpose: Purpose, policy: Span) -> Iterator[WindowRule]:
    if purpose is Purpose.INFORMATIONAL:
        yield WindowRule(POLICY_HOURS, (policy,) * 7)
    for one in bound:
        if purpose is Purpose.TELEMARKETING:
            yield from _sales_windows(one)
        else:
            yield from _other_windows(one, purpose)


def _sales_windows(one: Jurisdiction) -> Iterator[WindowRule]:
    if one.holiday_ban is not None:
        yield WindowRule(f"HOLIDAY-{one.key}", EVERY_DAY, one.holiday_ban)
    if one.sales_hours is not None and None in one.sales_hours:
        yield WindowRule(f"DAY-{one.key}", tuple(None if day is None else ALL_DAY for day in one.sales_hours))
    if one.sales_hours is not None or one.holiday_hours is not None:
        # A day without calls is the DAY rule's to refuse; here it counts as open, so that each rule says one thing.
        week = tuple(day or ALL_DAY for day in one.sales_hours or EVERY_DAY)
        short = one.holiday_hours
        yield WindowRule(f"HOURS-{one.key}", week, short.days if short else None, short.hours if short else None)


def _other_windows(one: Jurisdiction, purpose: Purpose) -> Iterator[WindowRule]:
    """Bans on Sundays and holidays are about sales. A collector keeps the country's hours (15 USC 1692c)."""
    collecting = purpose is Purpose.DEBT_COLLECTION and one.is_country
    week = cut(one.informational_hours, one.sales_hours if collecting else None)
    if week is not None:
        yield WindowRule(f"HOURS-{one.key}", week)


@lru_cache(maxsize=1024)
def campaign_window(hours: CallingHours) -> WindowRule:
    """A campaign's own hours as a rule beside the law's."""
    return WindowRule(CAMPAIGN_HOURS, tuple(_span(day) for day in hours.days))


def _span(day: DayHours | None) -> Span | None:
    if day is None:
        return None
    # `time.max` stands for 24:00, which no time object can be.
    closes = timedelta(hours=24) if day.closes == time.max else _since_midnight(day.closes)
    return Span(_since_midnight(day.opens), closes)


def _since_midnight(local: time) -> timedelta:
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
