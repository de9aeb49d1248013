"""What a person decided of an attempt whose fate nobody could find out: a fact like any other, and pure.

Only an attempt of unknown fate can be decided; whoever comes second, or too late, changes nothing.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.states import AttemptState
from campaigns.services.settle import AttemptView, Settled


class DecidedAs(StrEnum):
    """The four answers that a person can give."""

    FOUND = "found"
    """It is this call of the provider's; what the provider says of it follows as a report."""
    NOT_DIALED = "not_dialed"
    """Certainly nobody was called: the try is not spent, the call may make a new attempt."""
    REACHED = "reached"
    """The person was on the phone; nobody calls them again."""
    GIVEN_UP = "given_up"
    """It will never be known: the call ends, for somebody may have been called."""


@dataclass(frozen=True, slots=True)
class Decided:
    """`detail`: who decided, and why; it stays on the attempt."""

    how: DecidedAs
    detail: str


_VERDICTS = {
    DecidedAs.NOT_DIALED: Verdict(Outcome.PROVIDER_ERROR, retryable=True, counts=False),
    DecidedAs.REACHED: Verdict(Outcome.ANSWERED, retryable=False, counts=True),
    DecidedAs.GIVEN_UP: Verdict(Outcome.UNKNOWN, retryable=False, counts=True),
}


def settle_decision(attempt: AttemptView, decided: Decided) -> Settled:
    """Apply a person's word to an attempt of unknown fate."""
    if attempt.state is not AttemptState.FATE_UNKNOWN:
        return Settled(attempt)
    told = replace(attempt, detail=decided.detail)
    if decided.how is DecidedAs.FOUND:
        return Settled(told)
    verdict = _VERDICTS[decided.how]
    state = AttemptState.NOT_DIALED if decided.how is DecidedAs.NOT_DIALED else AttemptState.CLOSED
    reason = "fate_unknown" if decided.how is DecidedAs.GIVEN_UP else None
    return Settled(replace(told, state=state, outcome=verdict.outcome), verdict, reason=reason)
