"""The law in force, as values to show: hours, caps, consent, citation, confidence, and when each file wants review."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from campaigns.compliance.rules import REFUSE_AFTER, WARN_AFTER, Cap, DatedDays, Jurisdiction, RuleBook, Week

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NONE = "none"


class UnknownJurisdictionError(Exception):
    """No rule file in force has this key. The message names the nearest ones."""

    def __init__(self, key: str, *, known: Iterable[str]) -> None:
        self.nearest = tuple(get_close_matches(key.upper(), list(known), n=3))
        hint = f"did you mean {' or '.join(self.nearest)}?" if self.nearest else "`ringfence rules list` has them all"
        super().__init__(f"no rule file in force is for {key!r}; {hint}")


@dataclass(frozen=True, slots=True)
class LawView:
    """All jurisdictions in force, and how fresh the oldest file is."""

    digest: str
    as_of: str
    age_days: int
    old: bool
    stale: bool
    jurisdictions: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "digest": self.digest,
            "as_of": self.as_of,
            "age_days": self.age_days,
            "review_due": self.old,
            "refused_for_age": self.stale,
            "jurisdictions": list(self.jurisdictions),
        }


def law_view(rules: RuleBook, *, now: datetime) -> LawView:
    """Every jurisdiction in force, countries first."""
    ordered = sorted(rules.jurisdictions.values(), key=lambda one: (one.country, not one.is_country, one.key))
    return LawView(
        digest=rules.digest,
        as_of=rules.as_of.isoformat(),
        age_days=rules.age(now).days,
        old=rules.is_old(now),
        stale=rules.is_stale(now),
        jurisdictions=tuple(jurisdiction_view(one) for one in ordered),
    )


def find_jurisdiction(rules: RuleBook, key: str) -> Jurisdiction:
    """By key, in any case. Raises `UnknownJurisdictionError`."""
    found = rules.jurisdictions.get(key.upper())
    if found is None:
        raise UnknownJurisdictionError(key, known=rules.jurisdictions)
    return found


def jurisdiction_view(one: Jurisdiction) -> dict[str, Any]:
    """JSON-able: what this file says. None: nothing of its own, so its country's rules alone bind."""
    return {
        "key": one.key,
        "name": one.name,
        "citation": one.citation,
        "confidence": one.confidence,
        "as_of": one.as_of.isoformat(),
        "review_by": (one.as_of + WARN_AFTER).isoformat(),
        "refused_from": (one.as_of + REFUSE_AFTER).isoformat(),
        "zones": list(one.zones),
        "sales_hours": _week(one.sales_hours),
        "informational_hours": _week(one.informational_hours),
        "holiday_ban": _dates(one.holiday_ban),
        "holiday_hours": (
            {"hours": str(one.holiday_hours.hours), **_dated(one.holiday_hours.days)} if one.holiday_hours else None
        ),
        "caps": [_cap(cap) for cap in one.caps],
        "consent": {purpose.value: level for purpose, level in one.consent.items()} if one.consent else None,
        "ai_voice": one.ai_voice.value,
        "state_do_not_call_list": one.state_dnc_list,
        "emergency_ban": one.emergency_ban,
        "no_retry_after_hangup": one.no_retry_after_hangup,
        "business_relationship_months": (
            {"transaction": one.relationship.transaction_months, "inquiry": one.relationship.inquiry_months}
            if one.relationship
            else None
        ),
        "registry_max_age_days": one.dnc_max_age.days if one.dnc_max_age else None,
        "note": one.note,
    }


def hours_text(week: dict[str, str] | None) -> str:
    """A week in few words: days of the same hours together, such as `mon-fri 09:00-20:00, sat none`."""
    if week is None:
        return "-"
    runs: list[tuple[str, str, str]] = []
    for day, hours in week.items():
        if runs and runs[-1][2] == hours:
            runs[-1] = (runs[-1][0], day, hours)
        else:
            runs.append((day, day, hours))
    if len(runs) == 1:
        return runs[0][2]
    return ", ".join(f"{first if first == last else f'{first}-{last}'} {hours}" for first, last, hours in runs)


def citation_of(rules: RuleBook, rule_id: str) -> str | None:
    """The citation behind a rule id; None for rules that are a campaign's or an operator's own."""
    if rule_id.startswith(("CAMPAIGN-", "RULES-", "POL-", "DNC-INTERNAL", "ZONE-", "JUR-")):
        return None
    for one in rules.jurisdictions.values():
        cited = next((cap.citation for cap in one.caps if cap.rule_id == rule_id), None)
        if cited:
            return cited
    keys = sorted(rules.jurisdictions, key=len, reverse=True)
    named = next((key for key in keys if rule_id.endswith(f"-{key}") or f"-{key}-" in rule_id), "US")
    found = rules.jurisdictions.get(named)
    return found.citation if found else None


def _week(week: Week | None) -> dict[str, str] | None:
    if week is None:
        return None
    return {day: str(span) if span else _NONE for day, span in zip(_DAYS, week, strict=True)}


def _dates(days: DatedDays | None) -> dict[str, Any] | None:
    return _dated(days) if days else None


def _dated(days: DatedDays) -> dict[str, Any]:
    return {
        "dates": {day.isoformat(): name for day, name in sorted(days.dates.items())},
        "listed_until": days.last.isoformat(),
    }


def _cap(cap: Cap) -> dict[str, Any]:
    return {
        "rule_id": cap.rule_id,
        "max_attempts": cap.max_attempts,
        "window_hours": cap.window.total_seconds() / 3600,
        "applies_to": sorted(cap.applies_to),
        "counts": cap.counts.value,
        "citation": cap.citation,
    }
