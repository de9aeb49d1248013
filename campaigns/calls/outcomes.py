"""What telephony did with an attempt, in our words, whichever provider it was."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The ten outcomes of the glossary. Provider tables map onto these and nothing else."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    CANCELLED = "cancelled"
    PROVIDER_ERROR = "provider_error"
    CONFIG_ERROR = "config_error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome together with what may follow from it.

    `retryable`: the person was surely not reached, so the retry ladder may be asked.
    `counts`: the attempt is spent (caps, `maxAttempts`); false only where the phone surely never rang.
    """

    outcome: Outcome
    retryable: bool
    counts: bool
