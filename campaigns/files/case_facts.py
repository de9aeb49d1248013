"""From a row of a case table to the facts that the gate is told, and to what should come out.

A blank cell of the input is not under test: its check passes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from campaigns.compliance.facts import (
    CampaignSwitch,
    Consent,
    ConsentLevel,
    Facts,
    PlaceEvidence,
    Plan,
    Purpose,
    Revocation,
    Suppression,
)
from campaigns.files.case_row import Row

SELLER = "the seller under test"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What should come out. `rule_id`, `next_allowed_at`, `zones`: compared only if in `compared`."""

    allowed: bool
    rule_id: str | None
    next_allowed_at: datetime | None
    zones: frozenset[str]
    compared: frozenset[str]


def facts_of_row(row: Row, now: datetime, purpose: Purpose) -> Facts:
    """What the gate is told of the case."""
    attempts = row.read("prior_attempts_utc", instants, allowed="instants with their zone, separated by semicolons")
    return Facts(
        number=row.required("number", str, allowed="a number, best in the form +12125550123") or "",
        plan=_plan(row, now, purpose),
        evidence=PlaceEvidence(
            state=row.text("state"),
            zip=row.text("zip"),
            zip_state=row.text("zip_state"),
            zip_timezone=row.text("zip_timezone"),
            timezone=row.text("timezone"),
        ),
        line_type=row.text("line_type") or "unknown",
        exemption=row.text("exemption"),
        consents=_consents(row, now),
        revocations=(Revocation("all", None, now - timedelta(seconds=1)),) if row.flag("revoked") else (),
        suppressions=(Suppression("internal", "all", None),) if row.flag("dnc_internal") else (),
        attempts=attempts or (),
        dnc_national=row.flag("dnc_national"),
        dnc_state=row.flag("dnc_state"),
        dnc_list_age=row.read("dnc_list_age_days", _days, allowed="a whole number of days"),
        reassigned=row.read("reassigned", _reassigned, allowed="yes, no, no_data, unchecked or blank") or "unchecked",
        ebr=row.flag("ebr") or False,
        emergencies=frozenset(row.listed("emergency_flags")),
    )


def _plan(row: Row, now: datetime, purpose: Purpose) -> Plan:
    """A campaign that adds nothing to the law: it is the law that is under test."""
    return Plan(
        campaign="case",
        purpose=purpose,
        seller=SELLER,
        switch=CampaignSwitch.ACTIVE,
        earliest_at=now - timedelta(days=1),
        latest_at=now + timedelta(days=500),
        end_guard=timedelta(),
        fictional_allowed=row.flag("allow_fictional") or False,
    )


def _consents(row: Row, now: datetime) -> tuple[Consent, ...]:
    if row.text("consent") in (None, "none"):
        return ()
    level = row.read("consent", ConsentLevel, allowed="pewc, pec, none or blank")
    return (Consent(1, level, SELLER, None, now - timedelta(days=30), "case table"),) if level else ()


def expectation_of_row(row: Row) -> Expectation:
    """What should come out of it."""
    allowed = row.required("expected", {"allow": True, "deny": False}.__getitem__, allowed="allow or deny")
    compared = {"next_allowed_at"} if row.has("next_allowed_utc") else set()
    compared |= {"rule_id"} if allowed or row.text("rule_id") else set()
    compared |= {"zones"} if row.text("zones_considered") else set()
    return Expectation(
        allowed=bool(allowed),
        rule_id=row.text("rule_id"),
        next_allowed_at=row.read("next_allowed_utc", instant, allowed="an instant with its zone, or blank"),
        zones=frozenset(row.listed("zones_considered")),
        compared=frozenset(compared),
    )


def instant(cell: str) -> datetime:
    """An aware instant, in UTC. Raises `ValueError`."""
    at = datetime.fromisoformat(cell)
    if at.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return at.astimezone(UTC)


def instants(cell: str) -> tuple[datetime, ...]:
    """Several, separated by semicolons."""
    return tuple(instant(part.strip()) for part in cell.split(";") if part.strip())


def _days(cell: str) -> timedelta:
    days = int(cell)
    if days < 0:
        raise ValueError("an age is not negative")
    return timedelta(days=days)


def _reassigned(cell: str) -> Literal["yes", "no", "no_data", "unchecked"]:
    if cell not in ("yes", "no", "no_data", "unchecked"):
        raise ValueError("no such answer")
    return cast(Literal["yes", "no", "no_data", "unchecked"], cell)
