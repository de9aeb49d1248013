"""Rules that time does not cure: do-not-call lists, reassigned numbers, artificial voices, emergencies."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from campaigns.compliance.consent import ConsentStanding
from campaigns.compliance.decision import Check
from campaigns.compliance.facts import Facts, Plan, Purpose, Suppression
from campaigns.compliance.law import Law
from campaigns.compliance.reassigned import answer_for
from campaigns.compliance.relationship import has_relationship
from campaigns.compliance.revocations import same_seller
from campaigns.compliance.rules import AiVoice, Profile

DNC_INTERNAL = "DNC-INTERNAL"
DNC_STATE = "DNC-STATE"
DNC_NATIONAL = "DNC-NATIONAL"
DNC_STALE = "DNC-STALE"
DNC_UNCOVERED = "DNC-UNCOVERED"
DNC_UNREADABLE = "DNC-UNREADABLE"
RND_REASSIGNED = "RND-REASSIGNED"

_NO_HANG_UP = "nobody hung up at this number"
_NOT_SUPPRESSED = Check(DNC_INTERNAL, True, "on no suppression list")
_NOT_ON_STATE_LIST = Check(DNC_STATE, True, "not on a state list")
_NOT_ON_REGISTRY = Check(DNC_NATIONAL, True, "not on the national registry")
_COVERED = Check(DNC_UNCOVERED, True, "the registry version covers this area code")
_NOT_COVERED = Check(
    DNC_UNCOVERED, False, "the registry version does not cover this area code, so it cannot say that nobody objected"
)
_MISSING = Check(
    DNC_STALE, False, "no national registry version was imported: `ringfence suppress import FILE --list national`"
)
_UNREADABLE = Check(
    DNC_UNREADABLE, False, "this worker cannot read the registry version in force; import it on this machine again"
)
_WRITTEN_CONSENT = Check(DNC_NATIONAL, True, "on the national registry, but consented in writing to this seller")


def list_checks(
    facts: Facts, law: Law, standing: ConsentStanding, profile: Profile, *, now: datetime
) -> Iterator[Check]:
    """Every rule of this module that applies to the plan's purpose, in no promised order."""
    purpose = facts.plan.purpose
    if purpose is Purpose.EMERGENCY:
        return
    yield _internal(facts)
    yield from _reassigned(facts, standing, profile)
    yield from _hang_ups(facts, law)
    if purpose is Purpose.TELEMARKETING:
        yield from _artificial_voice(facts, law, now)
        yield from _do_not_call(facts, law, standing)
        yield from _emergencies(facts, law)


def _internal(facts: Facts) -> Check:
    for entry in facts.suppressions:
        if _applies(entry, facts.plan):
            return Check(DNC_INTERNAL, False, f"on the suppression list {entry.list_name}, scope {entry.scope}")
    return _NOT_SUPPRESSED


def _applies(entry: Suppression, plan: Plan) -> bool:
    """A scope without a value is read as widely as can be."""
    if entry.scope == "all" or entry.scope_value is None:
        return True
    if entry.scope == "seller":
        return same_seller(entry.scope_value, plan.seller)
    return entry.scope_value == plan.campaign


def _reassigned(facts: Facts, standing: ConsentStanding, profile: Profile) -> Iterator[Check]:
    answer: str = facts.reassigned
    if facts.reassigned_answers:
        answer = answer_for(facts.reassigned_answers, standing.consent)
    if answer in profile.reassigned_denied:
        yield Check(RND_REASSIGNED, False, "the number was given to another person since the consent")
    elif answer != "unchecked":
        yield Check(RND_REASSIGNED, True, f"reassigned-numbers answer: {answer}")


def _hang_ups(facts: Facts, law: Law) -> Iterator[Check]:
    for key in law.hangup_bans:
        detail = "an automatic device may not call back a number that hung up on it" if facts.hung_up else _NO_HANG_UP
        yield Check(f"HANGUP-{key}", not facts.hung_up, detail)


def _artificial_voice(facts: Facts, law: Law, now: datetime) -> Iterator[Check]:
    for key, policy in law.ai_voice:
        rule_id = f"STATE-AIVOICE-{key}"
        if policy is AiVoice.REQUIRES_EBR:
            detail = "sales by an artificial voice only within an established business relationship"
            yield Check(rule_id, has_relationship(facts, law.relationship, now), detail)
        else:
            detail = "whether the ban on recorded sales messages covers an AI voice awaits counsel's decision"
            yield Check(rule_id, key in facts.counsel_allows, detail)


def _do_not_call(facts: Facts, law: Law, standing: ConsentStanding) -> Iterator[Check]:
    """A value of None is not under test. A state's list binds even with consent, the national one yields to PEWC."""
    if facts.dnc_state is not None:
        on_list = Check(DNC_STATE, False, "on a state do-not-call list, which consent does not lift here")
        yield on_list if facts.dnc_state else _NOT_ON_STATE_LIST
    if facts.state_lists is not None:
        yield from (_state_list(key, facts.state_lists) for key in law.own_lists)
    if law.dnc_max_age is not None:
        yield from _registry_checks(facts, law.dnc_max_age, standing)


def _state_list(key: str, imported: frozenset[str]) -> Check:
    """A list that was never imported cannot be asked, and what cannot be checked is refused."""
    if key in imported:
        return Check(DNC_STALE, True, f"the list of {key} was imported")
    detail = f"{key} keeps a do-not-call list of its own: `ringfence suppress import FILE --list {key}`"
    return Check(DNC_STALE, False, detail)


def _registry_checks(facts: Facts, max_age: timedelta, standing: ConsentStanding) -> Iterator[Check]:
    """A registry that cannot be asked, is too old or says nothing of this area code stops sales, consent or not."""
    if facts.dnc_registry == "missing":
        yield _MISSING
    if facts.dnc_registry == "unreadable":
        yield _UNREADABLE
    if facts.dnc_covered is not None:
        yield _COVERED if facts.dnc_covered else _NOT_COVERED
    if facts.dnc_national is not None:
        yield _registry(facts, standing)
    if facts.dnc_list_age is not None:
        detail = f"the registry version is {facts.dnc_list_age.days} days old, at most {max_age.days} allowed"
        yield Check(DNC_STALE, facts.dnc_list_age <= max_age, detail)


def _registry(facts: Facts, standing: ConsentStanding) -> Check:
    if not facts.dnc_national:
        return _NOT_ON_REGISTRY
    if standing.consent is not None:
        return _WRITTEN_CONSENT
    return Check(DNC_NATIONAL, False, "on the national registry, without written consent to this seller")


def _emergencies(facts: Facts, law: Law) -> Iterator[Check]:
    for key in law.emergency_bans:
        yield Check(f"EMERG-{key}", key not in facts.emergencies, "sales calls stop while an emergency is declared")
