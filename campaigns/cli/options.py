"""Options and arguments that several commands share."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.customers.phone import PhoneProblem
from campaigns.definition.durations import DurationError, parse_duration

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, last, on stdout.")]
CampaignFileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The campaign file (YAML).")]
A_TIME = "a time with its offset, such as 2026-11-01T12:00:00-05:00"
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The campaign's name.")]


def instant_option(text: str | None, *, option: str) -> datetime | None:
    """The instant that an option names, in UTC; None if it was not given. Raises `CommandError`, exit code 2."""
    if text is None:
        return None
    if (instant := _instant(text)) is None:
        raise CommandError(f"{option} {text}: write {A_TIME}.", exit_code=ExitCode.BAD_INPUT)
    return instant


def since_option(text: str, *, now: Callable[[], datetime]) -> datetime:
    """The instant that --since names: one of its own, or a duration back from `now`. Raises `CommandError`, code 2."""
    try:
        back = parse_duration(text)
    except DurationError:
        if (instant := _instant(text)) is None:
            sentence = f"--since {text}: write a duration back from now, such as 24h, or {A_TIME}."
            raise CommandError(sentence, exit_code=ExitCode.BAD_INPUT) from None
        return instant
    return now() - back


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):  # the year 1, east of Greenwich, has no time in UTC
        return None


def american_number_advice(text: str, found: PhoneProblem) -> str:
    """What is wrong with a number that was read as American for want of a + sign, and what to do."""
    if text.strip().startswith("+"):
        return found.message
    return (
        f"{found.message}; without a + it is read as American, so give its ten digits, or + and the country code, such "
        "as +12025550123"
    )
