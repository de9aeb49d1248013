"""How a campaign dials: lines, speed, retries, voicemail, limits."""

from collections import Counter
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from campaigns.calls.outcomes import Outcome
from campaigns.definition.base import Block
from campaigns.definition.findings import flaw, nearest_of
from campaigns.definition.values import Count, Duration, Money, Rate, Text

RETRYABLE = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL, Outcome.PROVIDER_ERROR)
"""Outcomes after which the person was surely not reached. The others end a call, whatever a file says."""

_WHY_NO_RUNG = {
    Outcome.ANSWERED: "the person was reached",
    Outcome.REJECTED: "the person or the network declined the call",
    Outcome.INVALID_NUMBER: "the number will not become valid by waiting",
    Outcome.CANCELLED: "the call was ended by us",
    Outcome.CONFIG_ERROR: "the settings must be mended first",
    Outcome.UNKNOWN: "the person may have been reached; see retries.ambiguous",
}


def _rung_key(value: Any) -> Outcome:
    allowed = ", ".join(RETRYABLE)
    if value not in list(Outcome):
        raise flaw("this is no outcome", allowed=allowed, nearest=nearest_of(str(value), RETRYABLE))
    outcome = Outcome(value)
    if outcome not in RETRYABLE:
        raise flaw(f"a call that ended so is not tried again: {_WHY_NO_RUNG[outcome]}", allowed=allowed)
    return outcome


_LadderKey = Annotated[Outcome, BeforeValidator(_rung_key)]


def _no_repeats(value: Any) -> Any:
    lines = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    counts = Counter(lines)
    if len(counts) < len(lines):
        raise flaw(f"{counts.most_common(1)[0][0]} stands twice", allowed="each line once")
    return value


class LinePool(Block):
    """The numbers that the campaign calls from."""

    pool: Annotated[tuple[Text, ...], BeforeValidator(_no_repeats), Field(min_length=1, max_length=1000)]
    """The provider's ids of the lines, at least one."""
    choose: Literal["rotate", "nearest"] = "rotate"
    """`rotate`: the lines take turns. `nearest`: the line whose area code is closest to the customer."""
    per_line_daily_limit: Count | None = None
    """Most dials from one line in a UTC day, over all campaigns."""
    per_line_hourly_limit: Count | None = None
    """Most dials from one line in any sixty minutes, over all campaigns."""


class Pacing(Block):
    """Limits of this campaign; the account's own limits hold as well."""

    calls_per_second: Rate | None = None
    """Most dials in any second; 0.1 is one every ten seconds."""
    concurrency: Count | None = None
    """Most calls at the same time."""


class Retries(Block):
    """Whether and when a customer who was not reached is called again."""

    max_attempts: Annotated[Count, Field(le=100)] = 1
    """Most attempts at one customer in one run, the first included."""
    per_day: Count | None = None
    """Most attempts at one customer on one date of the customer's own calendar."""
    ladder: Annotated[
        dict[_LadderKey, Annotated[tuple[Duration, ...], Field(max_length=100)]],
        Field(json_schema_extra={"propertyNames": {"enum": list(RETRYABLE)}}),
    ] = Field(default_factory=dict)
    """The waits by outcome: the n-th wait follows the n-th attempt with that outcome; no wait left, no more tries."""
    ambiguous: Literal["hold", "redial"] = "hold"
    """What follows when nobody can tell whether an attempt was dialed: a person decides, or a new attempt is made."""

    def waits_after(self, outcome: Outcome) -> tuple[timedelta, ...]:
        """The rungs for one outcome; empty: not tried again."""
        return self.ladder.get(outcome, ())


class Voicemail(Block):
    """What to do when a machine answers."""

    action: Literal["hangUp", "leaveMessage"]
    """Hang up, or leave the message."""
    message: Text | None = None
    """What to say, only with leaveMessage; `{{firstName}}` in it is a variable of the assistant's."""


class Budget(Block):
    """Where the campaign stops by itself."""

    dials: Count | None = None
    """Most attempts in a run."""
    cost: Money | None = None
    """Most US dollars in a run."""
