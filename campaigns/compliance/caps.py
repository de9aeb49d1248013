"""How often one number may be called: the law's rolling caps and the campaign's own `perDay`."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from campaigns.compliance.consent import ConsentStanding
from campaigns.compliance.decision import Check
from campaigns.compliance.facts import Facts
from campaigns.compliance.law import Law
from campaigns.compliance.rules import Cap, CapCounts
from campaigns.compliance.zones import local_date, midnight_after

CAMPAIGN_PER_DAY = "CAMPAIGN-PER-DAY"
POLICY_GAP = "POL-GAP"
_NO_OTHER_ATTEMPT = Check(POLICY_GAP, True, "no other campaign or run has called")


def caps_in_force(law: Law, standing: ConsentStanding) -> tuple[Cap, ...]:
    """The purpose's caps, and those of the exemption if the call needs one: consent lifts these (FCC 22-100)."""
    if standing.exemption is None:
        return law.caps
    return law.caps + tuple(cap for cap in law.exempt_caps if standing.exemption in cap.applies_to)


def cap_checks(facts: Facts, caps: tuple[Cap, ...], now: datetime) -> Iterator[Check]:
    """One check a cap. Attempts younger than the window count, answered or not; one exactly as old is free."""
    for cap in caps:
        used = sum(now - counted_at < cap.window for counted_at in _counted(facts, cap))
        what = "conversations" if cap.counts is CapCounts.CONVERSATIONS_ON_DEBT else "attempts"
        yield Check(cap.rule_id, used < cap.max_attempts, f"{used} of {cap.max_attempts} {what} in {cap.window}")


def cap_frees_at(facts: Facts, cap: Cap) -> datetime | None:
    """The instant from which one more attempt is within the cap; None: there is room already at any time."""
    counted = _counted(facts, cap)
    if len(counted) < cap.max_attempts:
        return None
    return sorted(counted, reverse=True)[cap.max_attempts - 1] + cap.window


def _counted(facts: Facts, cap: Cap) -> tuple[datetime, ...]:
    """A call that names no debt may be about any, so then everything counts (12 CFR 1006.14(b)(2))."""
    if cap.counts is CapCounts.CONVERSATIONS_ON_DEBT:
        return facts.conversations
    if cap.counts is CapCounts.ATTEMPTS_ON_DEBT and facts.debt_attempts is not None:
        return facts.debt_attempts
    return facts.attempts


def gap_checks(facts: Facts, gap: timedelta, now: datetime) -> Iterator[Check]:
    """Calls of different campaigns or runs to one person keep a distance; a call's own retries follow its ladder."""
    if not gap:
        return
    if facts.other_attempt_at is None:
        yield _NO_OTHER_ATTEMPT
        return
    since = now - facts.other_attempt_at
    told = timedelta(seconds=since // timedelta(seconds=1))
    yield Check(POLICY_GAP, since >= gap, f"{told} since a call of another campaign or run, at least {gap} asked for")


def gap_ends_at(facts: Facts, gap: timedelta) -> datetime | None:
    """The instant from which the distance is kept; None: there is nothing to keep it from."""
    return facts.other_attempt_at + gap if gap and facts.other_attempt_at is not None else None


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
