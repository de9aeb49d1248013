"""What the reassigned-numbers database's answers mean for the consent that a call relies on (47 CFR 64.1200(m))."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from campaigns.compliance.facts import Consent, ReassignedAnswer

Standing = Literal["yes", "no", "no_data", "unchecked"]


def answer_for(answers: Sequence[ReassignedAnswer], consent: Consent | None) -> Standing:
    """The answer that stands for this consent; without a consent every answer counts.

    "Was this number given up after that date?" A *yes* given after the consent speaks against it, unless a *no* places
    the change before the consent. A *no* helps only if it was asked from the consent's date or earlier and given
    after it: what happened outside that span it does not tell.
    """
    told = list(_since(answers, consent.obtained_at if consent else None))
    covering = [one for one in told if consent is None or one.asked_since <= consent.obtained_at.date()]
    denials = [one for one in covering if one.answer == "no"]
    if any(one.answer == "yes" and not _is_cleared(one, denials) for one in told):
        return "yes"
    if denials:
        return "no"
    return "no_data" if covering else "unchecked"


def _since(answers: Iterable[ReassignedAnswer], obtained_at: datetime | None) -> Iterator[ReassignedAnswer]:
    """What was said before the consent was given is of whoever had the number then."""
    return (one for one in answers if obtained_at is None or one.answered_at >= obtained_at)


def _is_cleared(yes: ReassignedAnswer, denials: Iterable[ReassignedAnswer]) -> bool:
    """Whether the number changed hands between the two dates asked: before the consent, that is."""
    return any(no.asked_since > yes.asked_since and no.answered_at >= yes.answered_at for no in denials)
