"""What the gate is told: every input of one decision, read fresh in the claim's transaction."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
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


@dataclass(frozen=True, slots=True)
class Revocation:
    scope: Literal["all", "seller", "purpose", "campaign"]
    scope_value: str | None
    effective_at: datetime


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
    """Campaign-clock instants of every counted attempt to this number, in any campaign, unknown fates included."""
    own_attempts: tuple[datetime, ...] = ()
    """The same, of this call only, for `per_day`."""
    dnc_national: bool | None = None
    dnc_state: bool | None = None
    dnc_list_age: timedelta | None = None
    """None: no list is loaded and none was required."""
    dnc_covered: bool | None = None
    """Whether the registry version in force speaks of this number's area code at all; None: not under test."""
    dnc_registry: Literal["read", "missing", "unreadable"] | None = None
    """How asking the registry went: no version was ever imported, or this worker cannot read its files."""
    reassigned: Literal["yes", "no", "no_data", "unchecked"] = "unchecked"
    ebr: bool = False
    emergencies: frozenset[str] = frozenset()
    """Jurisdiction keys under a declared emergency, such as `US-LA`."""
    counsel_allows: frozenset[str] = frozenset()
    """Jurisdiction keys for which counsel's decision to allow sales by an AI voice is on record."""
