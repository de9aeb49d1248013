"""The gate: facts in, a permit or a refusal out. No clock, no I/O; what cannot be known is refused.

Every rule is evaluated and recorded. The answer is the failing rule that stands first in the rule files' order; if time
alone can cure it, the refusal names the earliest instant at which all temporal rules pass together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.compliance.area_codes import AreaCodeTable
from campaigns.compliance.caps import (
    cap_checks,
    cap_frees_at,
    caps_in_force,
    gap_checks,
    gap_ends_at,
    per_day_checks,
    per_day_frees_at,
)
from campaigns.compliance.consent import ConsentStanding, consent_checks, consent_standing
from campaigns.compliance.decision import Check, Permit, Refusal
from campaigns.compliance.facts import CampaignSwitch, Facts, Plan, Purpose
from campaigns.compliance.law import Law, law_for
from campaigns.compliance.lists import DNC_UNREADABLE, list_checks
from campaigns.compliance.numbers import number_class
from campaigns.compliance.places import ZONE_UNKNOWN, Place, place_of
from campaigns.compliance.relationship import relationship_lapses_at
from campaigns.compliance.rules import AiVoice, RuleBook
from campaigns.compliance.windows import HORIZON, Windows, window_checks, windows_for

CAMPAIGN_CANCELLED = "CAMPAIGN-CANCELLED"
CAMPAIGN_LATEST = "CAMPAIGN-LATEST"
CAMPAIGN_HALTED = "CAMPAIGN-HALTED"
CAMPAIGN_PAUSED = "CAMPAIGN-PAUSED"
CAMPAIGN_EARLIEST = "CAMPAIGN-EARLIEST"
CAMPAIGN_APPROVAL = "CAMPAIGN-APPROVAL"
RULES_STALE = "RULES-STALE"

RECHECK_AFTER = timedelta(seconds=60)
"""When to ask again about what an operator ends, not the clock: soon enough to resume unnoticed, seldom enough that a
long pause does not fill the record with refusals."""

_OPERATOR_RULES = frozenset({CAMPAIGN_HALTED, CAMPAIGN_PAUSED, CAMPAIGN_APPROVAL, RULES_STALE, DNC_UNREADABLE})
_NUMBER_OK = Check("NUM-INVALID", True, "an ordinary number")
_NOT_CANCELLED = Check(CAMPAIGN_CANCELLED, True, "not cancelled")
_NOT_PAUSED = Check(CAMPAIGN_PAUSED, True, "not paused")
_NOT_HALTED = Check(CAMPAIGN_HALTED, True, "nothing is halted")
_APPROVED = Check(CAMPAIGN_APPROVAL, True, "no approval is missing")
_BEFORE_LATEST = Check(CAMPAIGN_LATEST, True, "before latestAt less the end guard")
_AFTER_EARLIEST = Check(CAMPAIGN_EARLIEST, True, "not before earliestAt")
_RULES_FRESH = Check(RULES_STALE, True, "the rule files are recent enough")


@dataclass(frozen=True, slots=True)
class _Case:
    """One call with all that was looked up for it."""

    facts: Facts
    now: datetime
    place: Place
    law: Law
    standing: ConsentStanding
    windows: Windows


def evaluate(facts: Facts, rules: RuleBook, now: datetime, *, area_codes: AreaCodeTable) -> Permit | Refusal:
    """Decide on one call at one instant (aware, UTC, campaign clock).

    Raises `ValueError` for a naive `now`: an instant without a zone cannot be checked against anything.
    """
    if now.utcoffset() != timedelta():
        raise ValueError("the gate wants the instant in UTC, as an aware datetime")
    case = _looked_up(facts, rules, now, area_codes)
    lasting = tuple(_lasting_checks(case, rules))
    checks = (*_operator_checks(facts.plan, rules, now), *lasting, *_temporal_checks(case))
    if _all_pass(checks):
        return _permit(case, checks)
    return _refusal(case, rules, checks, curable=_all_pass(lasting))


def _looked_up(facts: Facts, rules: RuleBook, now: datetime, area_codes: AreaCodeTable) -> _Case:
    plan = facts.plan
    forbidden = number_class(facts.number, fictional_allowed=plan.fictional_allowed)
    if forbidden is None:
        place = place_of(facts.number, facts.evidence, area_codes=area_codes, rules=rules, at=now)
    else:
        place = Place(zones=(), jurisdictions=(), why=("a number of this class is never dialed",), problem=forbidden)
    law = law_for(rules, place.jurisdictions, plan.purpose)
    return _Case(
        facts=facts,
        now=now,
        place=place,
        law=law,
        standing=consent_standing(facts, law, now),
        windows=windows_for(law, plan.calling_hours, place.zones),
    )


def _all_pass(checks: Iterable[Check]) -> bool:
    return all(check.passed is not False for check in checks)


def _operator_checks(plan: Plan, rules: RuleBook, now: datetime) -> Iterator[Check]:
    """What an operator stopped and an operator may start again; the call waits."""
    yield Check(CAMPAIGN_HALTED, False, plan.halted) if plan.halted else _NOT_HALTED
    paused = plan.switch is CampaignSwitch.PAUSED
    yield Check(CAMPAIGN_PAUSED, False, "the campaign is paused") if paused else _NOT_PAUSED
    yield Check(CAMPAIGN_APPROVAL, False, plan.unapproved) if plan.unapproved else _APPROVED
    # A simulator harms nobody, so rehearsals in another year stay possible.
    stale = rules.is_stale(now) and not plan.fictional_allowed
    detail = f"the oldest rule file is of {rules.as_of}; have it checked and renew its as_of"
    yield Check(RULES_STALE, False, detail) if stale else _RULES_FRESH


def _lasting_checks(case: _Case, rules: RuleBook) -> Iterator[Check]:
    """What no waiting cures. Without a place the law is unknown, so its rules cannot be asked."""
    plan, place = case.facts.plan, case.place
    cancelled = plan.switch is CampaignSwitch.CANCELLED
    yield Check(CAMPAIGN_CANCELLED, False, "the campaign is cancelled") if cancelled else _NOT_CANCELLED
    over = case.now >= plan.latest_at - plan.end_guard
    yield Check(CAMPAIGN_LATEST, False, "latestAt less the end guard has passed") if over else _BEFORE_LATEST
    if place.problem is not None:
        yield Check(place.problem, False, "; ".join(place.why))
        return
    yield _NUMBER_OK
    yield Check(ZONE_UNKNOWN, True, "; ".join(place.why))
    yield from consent_checks(case.standing, case.law)
    yield from list_checks(case.facts, case.law, case.standing, rules.profile, now=case.now)


def _temporal_checks(case: _Case) -> Iterator[Check]:
    """What the passing of time cures."""
    plan = case.facts.plan
    early = case.now < plan.earliest_at
    yield Check(CAMPAIGN_EARLIEST, False, "earliestAt has not come") if early else _AFTER_EARLIEST
    if case.place.problem is None:
        yield from per_day_checks(case.facts, case.place.zones, case.now)
        yield from cap_checks(case.facts, caps_in_force(case.law, case.standing), case.now)
        yield from gap_checks(case.facts, _gap(case), case.now)
        yield from window_checks(case.windows, case.now, end_guard=plan.end_guard)


def _gap(case: _Case) -> timedelta:
    """A campaign may keep more distance than the policy, never less; an emergency keeps none."""
    emergency = case.facts.plan.purpose is Purpose.EMERGENCY
    return timedelta() if emergency else max(case.law.min_gap, case.facts.plan.min_gap)


def _run_end(case: _Case) -> datetime:
    return case.facts.plan.latest_at - case.facts.plan.end_guard


def _last_instant(case: _Case) -> datetime:
    """Until when this may be dialed at the latest: the run's end, and that of consent or relationship by themselves."""
    ends = [_run_end(case)]
    if case.standing.lapses_at is not None:
        ends.append(case.standing.lapses_at)
    if any(policy is AiVoice.REQUIRES_EBR for _, policy in case.law.ai_voice):
        lapses_at = relationship_lapses_at(case.facts, case.law.relationship)
        if lapses_at is not None:
            ends.append(lapses_at)
    return min(ends)


def _permit(case: _Case, checks: tuple[Check, ...]) -> Permit:
    plan, consent = case.facts.plan, case.standing.consent
    stretch = case.windows.joint.at(case.now)
    return Permit(
        evaluated_at=case.now,
        window_ends_at=min(stretch.end - plan.end_guard, _last_instant(case)) if stretch else case.now,
        zones=case.place.zones,
        jurisdictions=case.place.jurisdictions,
        consent_id=consent.id if consent else None,
        checks=checks,
    )


def _refusal(case: _Case, rules: RuleBook, checks: tuple[Check, ...], *, curable: bool) -> Refusal:
    first = min((check for check in checks if check.passed is False), key=lambda check: rules.rank(check.rule_id))
    next_allowed_at = None
    if first.rule_id in _OPERATOR_RULES:
        next_allowed_at = case.now + RECHECK_AFTER
    elif curable:
        next_allowed_at = _earliest_instant(case)
        if next_allowed_at is None:
            end = "latestAt" if _last_instant(case) == _run_end(case) else "its consent or relationship ends"
            checks = tuple(_hopeless(check, first, before=end) for check in checks)
    return Refusal(
        evaluated_at=case.now,
        rule_id=first.rule_id,
        next_allowed_at=next_allowed_at,
        zones=case.place.zones,
        jurisdictions=case.place.jurisdictions,
        checks=checks,
    )


def _hopeless(check: Check, answer: Check, *, before: str) -> Check:
    """The answer with a word on why nothing comes next."""
    if check is not answer:
        return check
    return Check(check.rule_id, False, f"{check.detail}; no legal instant before {before}")


def _earliest_instant(case: _Case) -> datetime | None:
    """The first instant from now on at which windows, caps, gap, `perDay` and `earliestAt` all pass; None: none.

    Each rule names its own next instant; the latest of them is asked again until all agree.
    """
    plan, zones = case.facts.plan, case.place.zones
    caps = caps_in_force(case.law, case.standing)
    frees = [*(cap_frees_at(case.facts, cap) for cap in caps), gap_ends_at(case.facts, _gap(case))]
    at = max([case.now, plan.earliest_at, *(freed for freed in frees if freed is not None)])
    until = min(_last_instant(case), case.now + HORIZON)
    while True:
        opening = case.windows.joint.opening(at, until=until, end_guard=plan.end_guard)
        if opening is None:
            return None
        at = per_day_frees_at(case.facts, zones, opening.opens_at)
        if at == opening.opens_at:
            return at
