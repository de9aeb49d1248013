"""The gate's verdict: a permit or a refusal, never a bare bool."""

from dataclasses import dataclass
from datetime import datetime

TEMPORAL_RULES = (
    "HOURS-",
    "DAY-",
    "HOLIDAY-",
    "FREQ-",
    "POL-HOURS-",
    "CAMPAIGN-HOURS",
    "CAMPAIGN-PER-DAY",
    "CAMPAIGN-EARLIEST",
    "CAMPAIGN-LATEST",
    "CAMPAIGN-PAUSED",
    "CAMPAIGN-HALTED",
    "CAMPAIGN-APPROVAL",
    "POL-GAP",
    "DNC-UNREADABLE",
)
"""Beginnings of the ids of rules that waiting can cure."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule as it was evaluated. `passed` None: the rule does not apply here."""

    rule_id: str
    passed: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to dial one number now, until `window_ends_at` at most and for one second after its facts were read."""

    evaluated_at: datetime
    window_ends_at: datetime
    """Campaign clock: the earliest of the legal windows' ends and `latestAt` minus the end guard."""
    zones: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    consent_id: int | None
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """No leave to dial. With `next_allowed_at`, time cures it then; without, only a person can."""

    evaluated_at: datetime
    rule_id: str
    next_allowed_at: datetime | None
    zones: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def temporal(self) -> bool:
        """Whether the rule is about time: a call with no time left in its run then expires rather than is blocked."""
        return self.rule_id.startswith(TEMPORAL_RULES)

    @property
    def waits(self) -> bool:
        """Whether the call goes back to wait (True) or is blocked for good (False)."""
        return self.next_allowed_at is not None


Decision = Permit | Refusal


@dataclass(frozen=True, slots=True)
class Opening:
    """A stretch `[opens_at, closes_at)` in which every window that applies is open. Aware UTC, campaign clock."""

    opens_at: datetime
    closes_at: datetime
