"""Whether this person agreed to this call, and has not taken it back."""

from dataclasses import dataclass
from datetime import datetime

from campaigns.compliance.decision import Check
from campaigns.compliance.facts import Consent, ConsentLevel, Facts, Plan, Purpose, Revocation
from campaigns.compliance.law import Law, satisfies

REV_ACTIVE = "REV-ACTIVE"
_RULE_BY_LEVEL = {ConsentLevel.PEWC: "CONSENT-PEWC", ConsentLevel.PEC: "CONSENT-PEC"}
_NOT_REVOKED = Check(REV_ACTIVE, True, "no revocation stands")
_EXEMPT_LINE = "landline"
"""The exemptions are for residential lines. A line of unknown type is taken for wireless."""


@dataclass(frozen=True, slots=True)
class ConsentStanding:
    """What the consents and revocations of one person come to, for one plan."""

    consent: Consent | None
    """The newest one that is good enough and was not revoked since."""
    revoked: bool
    exemption: str | None
    """The exemption that stands in for a missing consent, as caps name it."""


def consent_standing(facts: Facts, law: Law, now: datetime) -> ConsentStanding:
    """Weigh consents against revocations. A revocation beats every consent obtained before it or at its instant."""
    needed = law.consent
    if needed is None:
        return ConsentStanding(consent=None, revoked=False, exemption=None)
    plan = facts.plan
    revoked_at = max((one.effective_at for one in facts.revocations if _covers(one, plan)), default=None)
    usable = [one for one in facts.consents if _is_good(one, plan, needed=needed, now=now)]
    live = [one for one in usable if revoked_at is None or one.obtained_at > revoked_at]
    consent = max(live, key=lambda one: one.obtained_at, default=None)
    exemption = _exemption(facts, law) if consent is None else None
    return ConsentStanding(consent=consent, revoked=revoked_at is not None and consent is None, exemption=exemption)


def consent_checks(standing: ConsentStanding, law: Law) -> list[Check]:
    """REV-ACTIVE and the CONSENT rule of the level that this purpose needs."""
    if law.consent is None:
        return []
    return [
        Check(REV_ACTIVE, False, "consent was revoked, and none was obtained since")
        if standing.revoked
        else _NOT_REVOKED,
        _consent_check(_RULE_BY_LEVEL[law.consent], standing, needed=law.consent),
    ]


def _consent_check(rule_id: str, standing: ConsentStanding, *, needed: ConsentLevel) -> Check:
    if standing.consent is not None:
        return Check(rule_id, True, f"{standing.consent.level} of {standing.consent.obtained_at:%Y-%m-%d}")
    if standing.exemption is not None:
        return Check(rule_id, True, f"{standing.exemption}: a residential line needs no consent, within its caps")
    return Check(rule_id, False, f"no standing consent of level {needed} for this seller and purpose with its source")


def _is_good(consent: Consent, plan: Plan, *, needed: ConsentLevel, now: datetime) -> bool:
    """A flag without level, seller, time and source is no consent, nor is one from the future."""
    return (
        satisfies(consent.level, needed)
        and same_seller(consent.seller, plan.seller)
        and consent.purpose in (None, plan.purpose)
        and consent.obtained_at <= now
        and bool(consent.source.strip())
    )


def same_seller(first: str, second: str) -> bool:
    """Sellers are compared without case and outer blanks. A nameless one is nobody."""
    name = first.strip().casefold()
    return bool(name) and name == second.strip().casefold()


def _covers(revocation: Revocation, plan: Plan) -> bool:
    """Whether a revocation speaks of this plan; one with a scope but no value is read as widely as can be."""
    value = revocation.scope_value
    if revocation.scope == "all" or value is None:
        return True
    if revocation.scope == "seller":
        return same_seller(value, plan.seller)
    return value == (plan.purpose if revocation.scope == "purpose" else plan.campaign)


def _exemption(facts: Facts, law: Law) -> str | None:
    """The exemption claimed, if a rule file knows it and the line is residential (47 CFR 64.1200(a)(3)(ii)-(v))."""
    name = f"exempt_{facts.exemption}"
    known = any(name in cap.applies_to for cap in law.exempt_caps)
    exempt = known and facts.line_type == _EXEMPT_LINE and facts.plan.purpose is Purpose.INFORMATIONAL
    return name if exempt else None
