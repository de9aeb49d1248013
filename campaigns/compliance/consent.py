"""Whether this person agreed to this call, and has not taken it back."""

from dataclasses import dataclass
from datetime import datetime

from campaigns.compliance.decision import Check
from campaigns.compliance.facts import Consent, ConsentLevel, Facts, Plan, Purpose
from campaigns.compliance.law import Law, satisfies
from campaigns.compliance.revocations import Subject, covers, same_seller

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
    lapses_at: datetime | None = None
    """When the last of the standing consents ends by itself; None: never, or there is none."""


def consent_standing(facts: Facts, law: Law, now: datetime) -> ConsentStanding:
    """Weigh consents against revocations. A revocation beats every consent obtained before it or at its instant."""
    needed = law.consent
    if needed is None:
        return ConsentStanding(consent=None, revoked=False, exemption=None)
    plan = facts.plan
    revoked_at = _revoked_at(facts)
    usable = [one for one in facts.consents if _is_good(one, plan, needed=needed, now=now)]
    live = [one for one in usable if revoked_at is None or one.obtained_at > revoked_at]
    consent = max(live, key=lambda one: one.obtained_at, default=None)
    return ConsentStanding(
        consent=consent,
        revoked=revoked_at is not None and consent is None,
        exemption=_exemption(facts, law) if consent is None else None,
        lapses_at=_last_expiry(live),
    )


def is_revoked(facts: Facts) -> bool:
    """Whether this person ever told this seller to stop, whatever was agreed since."""
    return _revoked_at(facts) is not None


def _last_expiry(live: list[Consent]) -> datetime | None:
    ends = [one.expires_at for one in live if one.expires_at is not None]
    return max(ends) if ends and len(ends) == len(live) else None


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
        return Check(rule_id, True, f"{standing.consent.level} of {standing.consent.obtained_at.date()}")
    if standing.exemption is not None:
        return Check(rule_id, True, f"{standing.exemption}: a residential line needs no consent, within its caps")
    return Check(rule_id, False, f"no standing consent of level {needed} for this seller and purpose with its source")


def _revoked_at(facts: Facts) -> datetime | None:
    """When the newest revocation that speaks of this plan took effect."""
    if not facts.revocations:
        return None
    subject = Subject(facts.plan.campaign, facts.plan.purpose, facts.plan.seller)
    return max((one.effective_at for one in facts.revocations if covers(one, subject)), default=None)


def _is_good(consent: Consent, plan: Plan, *, needed: ConsentLevel, now: datetime) -> bool:
    """A flag without level, seller, time and source is no consent, nor one from the future, past its end, or that
    leaves artificial voices out (47 CFR 64.1200(f)(9))."""
    return (
        satisfies(consent.level, needed)
        and same_seller(consent.seller, plan.seller)
        and consent.purpose in (None, plan.purpose)
        and consent.obtained_at <= now
        and (consent.expires_at is None or now < consent.expires_at)
        and consent.artificial_voice is not False
        and bool(consent.source.strip())
    )


def _exemption(facts: Facts, law: Law) -> str | None:
    """The exemption claimed, if a rule file knows it and the line is residential (47 CFR 64.1200(a)(3)(ii)-(v))."""
    name = f"exempt_{facts.exemption}"
    known = any(name in cap.applies_to for cap in law.exempt_caps)
    exempt = known and facts.line_type == _EXEMPT_LINE and facts.plan.purpose is Purpose.INFORMATIONAL
    return name if exempt else None
