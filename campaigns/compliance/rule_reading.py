"""From the parsed content of rule files to a `RuleBook`: schema, then sense, each error with its file and place."""

import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from campaigns.compliance.facts import ConsentLevel, Purpose
from campaigns.compliance.rules import (
    AiVoice,
    Cap,
    CapCounts,
    HolidayHours,
    Jurisdiction,
    Profile,
    RelationshipTerms,
    RuleBook,
    Span,
    Week,
    cut,
    frozen_dates,
    week_of,
)
from campaigns.compliance.zones import UnreadableZoneError, zone

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_PERIOD = re.compile(r"P(?:(\d+)D|T(\d+)H)", re.ASCII)

_Model = TypeVar("_Model", bound=BaseModel)


class RuleFileError(Exception):
    """A rule file cannot be used, so nothing may be dialed. The message says which file, and what is wrong in it."""


def _span(text: object) -> Span | None:
    if text == "none":
        return None
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("write hours as 08:00-21:00, or none")
    first, second, third, fourth = (int(part) for part in found.groups())
    span = Span(timedelta(hours=first, minutes=second), timedelta(hours=third, minutes=fourth))
    if not span.opens < span.closes <= timedelta(hours=24):
        raise ValueError("hours must end after they begin, at 24:00 at the latest")
    return span


def _period(text: object) -> timedelta:
    found = _PERIOD.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("write a period as P7D (days) or PT24H (hours)")
    days, hours = found.groups()
    return timedelta(days=int(days or 0), hours=int(hours or 0))


def _zone(name: object) -> str:
    try:
        zone(str(name))
    except UnreadableZoneError as error:
        raise ValueError(str(error)) from error
    return str(name)


_Hours = Annotated[Span | None, BeforeValidator(_span)]
_ZoneName = Annotated[str, BeforeValidator(_zone)]
_Text = Annotated[str, Field(min_length=1)]
_Confidence = Literal["A", "B", "C"]
_Level = Literal["pewc", "pec", "none"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Week(_Part):
    weekday: _Hours
    saturday: _Hours
    sunday: _Hours

    def week(self) -> Week:
        return week_of(weekday=self.weekday, saturday=self.saturday, sunday=self.sunday)


class _Dates(_Part):
    source: _Text
    dates: dict[date, str] = Field(min_length=1)


class _HolidayWindow(_Dates):
    hours: Annotated[Span, BeforeValidator(_span)]


class _Frequency(_Part):
    id: Annotated[str, Field(pattern=r"^FREQ-[A-Z0-9-]+$")]
    max_attempts: Annotated[int, Field(ge=1)]
    window: Annotated[timedelta, BeforeValidator(_period)]
    applies_to: Annotated[list[str], Field(min_length=1)]
    citation: _Text
    confidence: _Confidence
    counts: CapCounts = CapCounts.ATTEMPTS
    note: str = ""

    def cap(self) -> Cap:
        return Cap(self.id, self.max_attempts, self.window, frozenset(self.applies_to), self.citation, self.counts)


class _ConsentNeeded(_Part):
    telemarketing: _Level
    informational: _Level
    debt_collection: _Level
    emergency: _Level
    citation: _Text
    confidence: _Confidence

    def levels(self) -> Mapping[Purpose, ConsentLevel | None]:
        wanted = {purpose: getattr(self, purpose.value) for purpose in Purpose}
        return {purpose: None if level == "none" else ConsentLevel(level) for purpose, level in wanted.items()}


class _RelationshipMonths(_Part):
    transaction: Annotated[int, Field(ge=1)]
    inquiry: Annotated[int, Field(ge=1)]


class _Dnc(BaseModel):
    """What the engine uses of it; the rest of the block is on record for people."""

    model_config = ConfigDict(extra="allow", frozen=True)
    national_max_age_days: Annotated[int, Field(ge=1)] | None = None
    # Written consent to the seller is the one override built in.
    national_overridden_by: list[Literal["pewc"]] = []
    ebr_months: _RelationshipMonths | None = None


class _Source(_Part):
    title: _Text
    url: _Text
    kind: _Text


class JurisdictionFile(_Part):
    """One jurisdiction's file. What comes after `no_retry_after_hangup` is on record for people only."""

    file_schema: Annotated[Literal["ringfence-rules/1"], Field(alias="schema")]
    as_of: date
    jurisdiction: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z]{2})?$")]
    name: _Text
    kind: Literal["country", "state", "territory"]
    extends: str | None = None
    citation: _Text
    confidence: _Confidence
    sources: list[_Source]
    note: str = ""
    zones: list[_ZoneName] = []
    solicitation_hours: _Week | None = None
    automated_voice_hours: _Week | None = None
    informational_hours: _Week | None = None
    effective_ai_telemarketing: _Week | None = None
    holiday_ban: _Dates | None = None
    holiday_window: _HolidayWindow | None = None
    frequency: list[_Frequency] = []
    consent: _ConsentNeeded | None = None
    ai_voice_telemarketing: AiVoice = AiVoice.ALLOW_WITH_PEWC
    dnc: _Dnc | None = None
    state_dnc_list: bool = False
    emergency_ban: bool = False
    no_retry_after_hangup: bool = False
    waived_by_consent: _Level | None = None
    ai_voice_statute_covers: str | None = None
    ai_voice_note: str | None = None
    permit: str | None = None
    identify_within: str | None = None
    reassigned_check_required: str | None = None
    abandonment: dict[str, Any] | None = None
    identification: dict[str, Any] | None = None
    records_years: int | None = None
    consent_record_years: int | None = None
    consent_record_note: str | None = None
    hours_are: str | None = None

    @property
    def sales_hours(self) -> Week | None:
        """Solicitation and device statutes cut together: an AI voice falls under both."""
        solicitation, device = self.solicitation_hours, self.automated_voice_hours
        return cut(solicitation.week() if solicitation else None, device.week() if device else None)


class ProfileFile(_Part):
    """How the rules are applied. A Literal of one value is a choice that has no other implementation."""

    file_schema: Annotated[Literal["ringfence-profile/1"], Field(alias="schema")]
    as_of: date
    profile: Literal["strict"]
    informational_hours_policy: Annotated[Span, BeforeValidator(_span)]
    reassigned: dict[Literal["yes", "no", "no_data", "unchecked"], Literal["deny", "allow", "allow with warning"]]
    state_dnc_overridden_by_pewc: Literal[False]
    honour_consent_waivers: Literal[False]
    ai_voice_pending_counsel: Literal["deny"]
    unknown_line_type: Literal["treat as wireless"]
    min_gap: Annotated[timedelta, BeforeValidator(_period)]
    rule_order: Annotated[list[_Text], Field(min_length=1)]


def read_profile(content: object, *, file: str) -> ProfileFile:
    """Check one profile's content. Raises `RuleFileError`."""
    return _checked(ProfileFile, content, file)


def read_jurisdiction(content: object, *, file: str) -> JurisdictionFile:
    """Check one jurisdiction's content, for itself. Raises `RuleFileError`."""
    found = _checked(JurisdictionFile, content, file)
    if found.kind == "country" and (found.consent is None or found.solicitation_hours is None):
        raise RuleFileError(f"{file}: a country needs consent and solicitation_hours; without them nothing is known")
    if found.kind != "country" and found.extends != found.jurisdiction[:2]:
        raise RuleFileError(f"{file}: extends must name the country of {found.jurisdiction}")
    if found.jurisdiction != "US" and not found.zones:
        raise RuleFileError(f"{file}: zones is empty; list every time zone of {found.jurisdiction}")
    if found.confidence != "C" and not found.sources:
        raise RuleFileError(f"{file}: confidence {found.confidence} needs at least one source; without one it is C")
    return found


def rule_book(
    profile: ProfileFile, files: Mapping[str, JurisdictionFile], *, enabled: Collection[str], digest: str
) -> RuleBook:
    """Put the files in force together. `files`: by name, those of the enabled countries. Raises `RuleFileError`."""
    countries = {found.jurisdiction: found for found in files.values() if found.kind == "country"}
    missing = sorted(set(enabled) - countries.keys())
    if missing:
        raise RuleFileError(f"no rule file for the enabled country {missing[0]}; add one or disable the country")
    jurisdictions = {}
    for file, found in files.items():
        if found.jurisdiction in jurisdictions:
            raise RuleFileError(f"{file}: {found.jurisdiction} has another file already; keep one")
        _check_effective(file, found, countries)
        jurisdictions[found.jurisdiction] = _jurisdiction(found)
    return RuleBook(
        jurisdictions=jurisdictions,
        profile=Profile(
            informational_hours=profile.informational_hours_policy,
            reassigned_denied=frozenset(answer for answer, verdict in profile.reassigned.items() if verdict == "deny"),
            min_gap=profile.min_gap,
        ),
        rule_order=tuple(profile.rule_order),
        as_of=min([profile.as_of, *(found.as_of for found in files.values())]),
        digest=digest,
    )


def _checked(model: type[_Model], content: object, file: str) -> _Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"]) or "the file"
        more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise RuleFileError(f"{file}: {place}: {first['msg']}, found {first['input']!r:.80}{more}") from error


def _check_effective(file: str, found: JurisdictionFile, countries: Mapping[str, JurisdictionFile]) -> None:
    """`effective_ai_telemarketing` is for readers; a file whose summary is not its law has a slip in one of them."""
    stated = found.effective_ai_telemarketing
    if stated is None:
        return
    country = countries[found.jurisdiction[:2]]
    derived = cut(country.sales_hours, found.sales_hours)
    if stated.week() != derived:
        raise RuleFileError(f"{file}: effective_ai_telemarketing is not what the hours above it come to; correct one")


def _jurisdiction(found: JurisdictionFile) -> Jurisdiction:
    dnc_days = found.dnc.national_max_age_days if found.dnc else None
    return Jurisdiction(
        key=found.jurisdiction,
        name=found.name,
        country=found.jurisdiction[:2],
        citation=found.citation,
        confidence=found.confidence,
        as_of=found.as_of,
        zones=tuple(found.zones),
        note=found.note,
        sales_hours=found.sales_hours,
        informational_hours=found.informational_hours.week() if found.informational_hours else None,
        holiday_ban=frozen_dates(found.holiday_ban.dates) if found.holiday_ban else None,
        holiday_hours=_holiday_hours(found.holiday_window),
        caps=tuple(one.cap() for one in found.frequency),
        consent=found.consent.levels() if found.consent else None,
        ai_voice=found.ai_voice_telemarketing,
        state_dnc_list=found.state_dnc_list,
        emergency_ban=found.emergency_ban,
        dnc_max_age=timedelta(days=dnc_days) if dnc_days else None,
        relationship=_relationship_terms(found.dnc),
        no_retry_after_hangup=found.no_retry_after_hangup,
    )


def _relationship_terms(dnc: _Dnc | None) -> RelationshipTerms | None:
    months = dnc.ebr_months if dnc else None
    return RelationshipTerms(months.transaction, months.inquiry) if months else None


def _holiday_hours(window: _HolidayWindow | None) -> HolidayHours | None:
    return HolidayHours(window.hours, frozen_dates(window.dates)) if window else None
