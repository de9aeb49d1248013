"""Who answered, where that is told apart from how the call ended: joined in any order, and never guessed.

completed, a machine answered           voicemail: nobody was reached, the ladder may be asked
completed, a human answered, or no word answered: nobody rings again
both were said of one call              answered: in doubt a person was reached
"""

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import AnsweredBy

ANSWERED = Verdict(Outcome.ANSWERED, retryable=False, counts=True)
VOICEMAIL = Verdict(Outcome.VOICEMAIL, retryable=True, counts=True)


def joined_word(known: AnsweredBy | None, told: AnsweredBy | None) -> AnsweredBy | None:
    """What two reports say together, whichever came first."""
    said = {known, told}
    return next((word for word in (AnsweredBy.HUMAN, AnsweredBy.MACHINE) if word in said), None)


def told_apart(verdict: Verdict, word: AnsweredBy | None) -> Verdict:
    """The verdict of an ended call, with what is known of who answered."""
    return VOICEMAIL if verdict.outcome is Outcome.ANSWERED and word is AnsweredBy.MACHINE else verdict


def corrected(outcome: Outcome | None, word: AnsweredBy | None) -> Outcome | None:
    """The outcome of a call that was closed before the word came."""
    if outcome not in (Outcome.ANSWERED, Outcome.VOICEMAIL) or word is None:
        return outcome
    return Outcome.VOICEMAIL if word is AnsweredBy.MACHINE else Outcome.ANSWERED
