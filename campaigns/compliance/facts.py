"""What the gate is told: every input of one decision, read fresh in the claim's transaction."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal


class Purpose(StrEnum):
    TELEMARKETING = "telemarketing"
    INFORMATIONAL = "informational"
    DEBT_COLLECTION = "debt_collection"
    EMERGENCY = "emergency"


class ConsentLevel(StrEnum):
    PEWC = "pewc"
    """Prior express written consent."""
    PEC = "pec"
    """Prior express consent, oral or written."""


class CampaignSwitch(StrEnum):
    """Whether a campaign may dial right now."""

    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PlaceEvidence:
    """What the customer list said of where the person is. All optional, none trusted alone."""

    state: str | None = None
    """Two-letter state of the address, upper case."""
    zip: str | None = None
    zip_state: str | None = None
    zip_timezone: str | None = None
    timezone: str | None = None
    """An IANA zone stated for the person."""


@dataclass(frozen=True, slots=True)
class Consent:
    id: int | None
    level: ConsentLevel
    seller: str
    purpose: Purpose | None
    """None: every purpose that this level covers."""
    obtained_at: datetime
    source: str
    expires_at: datetime | None = None
    """From this instant on it is no consent; None: it has no end."""
    artificial_voice: bool | None = None
    """Whether its wording named artificial voices. False: it is no consent to our calls; None: not on record."""


@dataclass(frozen=True, slots=True)
class Revocation:
    scope: Literal["all", "seller", "purpose", "campaign"]
    scope_value: str | None
    effective_at: datetime
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Relationship:
    """Last dealings with the seller (47 CFR 64.1200(f)(5)): a purchase or payment, and an inquiry."""

    transaction_at: datetime | None = None
    inquiry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReassignedAnswer:
    """What the reassigned-numbers database said, when asked whether a number changed hands after a date."""

    answer: Literal["yes", "no", "no_data"]
    asked_since: date
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Suppression:
    list_name: str
    """`internal`, or a later list: national, state, litigator."""
    scope: Literal["all", "seller", "campaign"]
    scope_value: str | None


@dataclass(frozen=True, slots=True)
class DayHours:
    """Local hours `[opens, closes)` of one weekday; `closes` may be 24:00, given as `time.max`."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class CallingHours:
    """A campaign's own hours. Index 0 is Monday; None is a closed day."""

    days: tuple[DayHours | None, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the campaign asks for: the same for every call of a run, so it is built once per claim."""

    campaign: str
    purpose: Purpose
    seller: str
    switch: CampaignSwitch
    earliest_at: datetime
    latest_at: datetime
    end_guard: timedelta
    calling_hours: CallingHours | None = None
    per_day: int | None = None
    """Most attempts of this call per local date of the called party."""
    fictional_allowed: bool = False
    """True only for accounts that point at a simulator: 555-01XX may be dialed."""
    halted: str | None = None
    """Why nothing may dial at all: the stop switch, a paused account, a clock that disagrees."""
    unapproved: str | None = None
    """Whose approval is still missing; the calls wait for it."""
    min_gap: timedelta = timedelta()
    """The campaign's own least time since a call of another campaign or run to the same person."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One person, one plan, as they stand at the moment of the claim."""

    number: str
    """E.164, with the plus sign."""
    plan: Plan
    evidence: PlaceEvidence = PlaceEvidence()
    line_type: str = "unknown"
    exemption: str | None = None
    consents: tuple[Consent, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    attempts: tuple[datetime, ...] = ()
    """Campaign-clock instants of every counted attempt to this number or this person, in any campaign, unknown fates
    included."""
    own_attempts: tuple[datetime, ...] = ()
    """The same, of this call only, for `per_day`."""
    other_attempt_at: datetime | None = None
    """The newest attempt by any other call, for the least gap between campaigns."""
    debt_attempts: tuple[datetime, ...] | None = None
    """Those of `attempts` that may have been about this call's debt. None: no debt is named, so all may have been."""
    conversations: tuple[datetime, ...] = ()
    """When conversations that may have been about this debt ended."""
    hung_up: bool = False
    """Whether somebody at this number once hung up on a call of ours."""
    dnc_national: bool | None = None
    dnc_state: bool | None = None
    dnc_list_age: timedelta | None = None
    """None: no list is loaded and none was required."""
    dnc_covered: bool | None = None
    """Whether the registry version in force speaks of this number's area code at all; None: not under test."""
    state_lists: frozenset[str] | None = None
    """States (`US-FL`) whose own do-not-call list was imported; None: not under test."""
    dnc_version: int | None = None
    """Which registry version was asked; on record only, no rule looks at it."""
    dnc_registry: Literal["read", "missing", "unreadable"] | None = None
    """How asking the registry went: no version was ever imported, or this worker cannot read its files."""
    reassigned: Literal["yes", "no", "no_data", "unchecked"] = "unchecked"
    """The answer as it stands for the consent relied on; `reassigned_answers` are weighed against that consent."""
    reassigned_answers: tuple[ReassignedAnswer, ...] = ()
    ebr: bool = False
    """A business relationship given as a fact, without its dates."""
    relationship: Relationship | None = None
    emergencies: frozenset[str] = frozenset()
    """Jurisdiction keys under a declared emergency, such as `US-LA`."""
    counsel_allows: frozenset[str] = frozenset()
    """Jurisdiction keys for which counsel's decision to allow sales by an AI voice is on record."""
