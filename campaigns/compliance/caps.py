"""How often one number may be called: the law's rolling caps and the campaign's own `perDay`."""

from collections.abc import Iterator
from datetime import datetime

from campaigns.compliance.consent import ConsentStanding
from campaigns.compliance.decision import Check
from campaigns.compliance.facts import Facts
from campaigns.compliance.law import Law
from campaigns.compliance.rules import Cap
from campaigns.compliance.zones import local_date, midnight_after

CAMPAIGN_PER_DAY = "CAMPAIGN-PER-DAY"


def caps_in_force(law: Law, standing: ConsentStanding) -> tuple[Cap, ...]:
    """The purpose's caps, and those of the exemption if the call needs one: consent lifts these (FCC 22-100)."""
    if standing.exemption is None:
        return law.caps
    return law.caps + tuple(cap for cap in law.exempt_caps if standing.exemption in cap.applies_to)


def cap_checks(facts: Facts, caps: tuple[Cap, ...], now: datetime) -> Iterator[Check]:
    """One check a cap. Attempts younger than the window count, answered or not; one exactly as old is free."""
    for cap in caps:
        used = sum(now - attempted_at < cap.window for attempted_at in facts.attempts)
        detail = f"{used} of {cap.max_attempts} attempts in {cap.window}"
        yield Check(cap.rule_id, used < cap.max_attempts, detail)


def cap_frees_at(attempts: tuple[datetime, ...], cap: Cap) -> datetime | None:
    """The instant from which one more attempt is within the cap; None: there is room already at any time."""
    if len(attempts) < cap.max_attempts:
        return None
    return sorted(attempts, reverse=True)[cap.max_attempts - 1] + cap.window


def per_day_checks(facts: Facts, zones: tuple[str, ...], now: datetime) -> Iterator[Check]:
    """The campaign's `perDay`, by the called party's date in each candidate zone."""
    limit = facts.plan.per_day
    if limit is not None:
        used = max((_attempts_on_date_of(now, zone, facts) for zone in zones), default=0)
        yield Check(CAMPAIGN_PER_DAY, used < limit, f"{used} of {limit} attempts on the called party's date")


def per_day_frees_at(facts: Facts, zones: tuple[str, ...], at: datetime) -> datetime:
    """`at`, or the first midnight after it at which every spent date is over."""
    limit = facts.plan.per_day
    if limit is None:
        return at
    spent = [zone for zone in zones if _attempts_on_date_of(at, zone, facts) >= limit]
    return max((midnight_after(zone, at) for zone in spent), default=at)


def _attempts_on_date_of(instant: datetime, zone: str, facts: Facts) -> int:
    today = local_date(zone, instant)
    return sum(local_date(zone, attempted_at) == today for attempted_at in facts.own_attempts)
