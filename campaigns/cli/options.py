"""Options and arguments that several commands share."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.customers.phone import PhoneProblem

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, last, on stdout.")]
CampaignFileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The campaign file (YAML).")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The campaign's name.")]


def instant_option(text: str | None, *, option: str) -> datetime | None:
    """The instant that an option names, in UTC; None if it was not given. Raises `CommandError`, exit code 2."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        in_utc = instant.astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1, east of Greenwich, has no time in UTC
        instant = None
    if instant is None or instant.tzinfo is None:
        raise CommandError(
            f"{option} {text}: write a time with its offset, such as 2026-11-01T12:00:00-05:00.",
            exit_code=ExitCode.BAD_INPUT,
        )
    return in_utc


def american_number_advice(text: str, found: PhoneProblem) -> str:
    """What is wrong with a number that was read as American for want of a + sign, and what to do."""
    if text.strip().startswith("+"):
        return found.message
    return (
        f"{found.message}; without a + it is read as American, so give its ten digits, or + and the country code, such "
        "as +12025550123"
    )
