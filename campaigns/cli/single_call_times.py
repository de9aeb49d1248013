"""When a single call may be dialed: from now on for a while, or, held by its provider, within a span."""

from datetime import timedelta

from campaigns.calls.clock import CampaignClock
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import instant_option
from campaigns.definition.durations import DurationError, parse_duration
from campaigns.services.single_call import SingleCall, When

DEFAULT_WITHIN = "15m"
"""Long enough for a busy account, short enough that nobody is rung when the caller has long forgotten."""
LONGEST_WITHIN = timedelta(hours=24)
DEFAULT_SPAN = timedelta(minutes=30)
"""Vapi has been seen to dial five minutes late and more."""


def when_of(singles: SingleCall, *, at: str | None, until: str | None, within: str, rehearse_at: str | None) -> When:
    """What these options say together. Raises `CommandError`, `SubmitRefusedError`."""
    due_from = instant_option(at, option="--at")
    if due_from is None:
        return when_soon(singles, within=within, rehearse_at=rehearse_at)
    if rehearse_at is not None:
        raise _wrong("--rehearse-at does not go with --at: the provider's clock is the real one")
    return singles.at(due_from, instant_option(until, option="--until") or due_from + DEFAULT_SPAN)


def when_soon(singles: SingleCall, *, within: str, rehearse_at: str | None) -> When:
    """From now on for `within`. Raises `CommandError`."""
    tried = duration_option(within, option="--within") or timedelta()
    if not timedelta() < tried <= LONGEST_WITHIN:
        raise _wrong("--within: at most 24h; a campaign file has a window for more")
    pretended = instant_option(rehearse_at, option="--rehearse-at")
    clock = None if pretended is None else CampaignClock(pretended, singles.now(), speed=1.0)
    return singles.soon(within=tried, clock=clock)


def duration_option(text: str | None, *, option: str) -> timedelta | None:
    """The duration that an option names; None if it was not given. Raises `CommandError`."""
    if text is None:
        return None
    try:
        return parse_duration(text)
    except DurationError:
        raise _wrong(f"{option}: write a duration such as 90s, 10m or 2h") from None


def _wrong(sentence: str) -> CommandError:
    return CommandError(f"{sentence}.", exit_code=ExitCode.BAD_INPUT)
