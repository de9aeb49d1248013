"""When a campaign may dial: its window and its cron schedule."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import PlainValidator, WithJsonSchema

from campaigns.calls.cron import cron_problem
from campaigns.definition.base import Block
from campaigns.definition.findings import flaw
from campaigns.definition.values import Duration, Instant, Zone

_LONGEST_CRON = 250
"""Every hour, date and month written out singly, `0,1,2,…`, is about 200 characters."""
_CRON_CHARACTERS = frozenset("0123456789*/,-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def _cron(value: Any) -> str:
    """Five fields of plain characters that make a cron which fires some day.

    The library reads six and seven fields, `@daily` and a random `R` too, each with a meaning of its own.
    """
    allowed = 'five fields (minute hour day month weekday) in quotes, such as "0 9 * * 1-5"'
    if not isinstance(value, str):
        raise flaw("this must be one text", allowed=allowed)
    fields = value.split()
    if len(value) > _LONGEST_CRON:
        raise flaw(f"this is longer than {_LONGEST_CRON} characters", allowed=allowed)
    if len(fields) != 5:
        raise flaw("this has " + ("1 field" if len(fields) == 1 else f"{len(fields)} fields"), allowed=allowed)
    if any(not set(field) <= _CRON_CHARACTERS for field in fields):
        raise flaw("this has characters that no cron has", allowed=allowed)
    if (problem := cron_problem(value)) is not None:
        raise flaw(problem, allowed=allowed)
    return " ".join(fields)


Cron = Annotated[str, PlainValidator(_cron), WithJsonSchema({"type": "string", "pattern": r"^\s*(\S+\s+){4}\S+\s*$"})]


class Window(Block):
    """The span in which the campaign may dial at all; with a schedule it bounds every run."""

    earliest_at: Instant
    """No call is dialed before this instant."""
    latest_at: Instant
    """No call is dialed from this instant on (less endGuard); calls still waiting expire."""


class Schedule(Block):
    """Runs that start by the clock. A run ends at its start plus runFor."""

    cron: Cron
    """Five cron fields in quotes: minute, hour, day of month, month, day of week."""
    timezone: Zone
    """The IANA zone in which the cron is read."""
    run_for: Duration
    """How long after its start a run may still dial, such as 10h."""
    overlap: Literal["skip", "queue", "allow"] = "skip"
    """What happens when a run is due while the one before it is still going."""


DEFAULT_END_GUARD = timedelta(seconds=60)
"""A call dialed in the last second of a window rings after it; a minute covers the ringing."""
