"""The kinds of value that a campaign file holds: how each is read, written back and described to an editor."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from campaigns.definition.durations import LONGEST_DURATION, DurationError, format_duration, parse_duration
from campaigns.definition.findings import flaw, nearest_of
from campaigns.definition.templates import TemplateError, placeholders

_WORD_OR_NUMBER = {"type": ["string", "number"]}
"""Editors read `zip: 10001` as a number; we read text, so both are right."""


_LONGEST_NAME = 1000
"""Names and sources are stored with every call and decision; a page of text there is a mistake."""
_LONGEST_VARIABLE = 10_000
"""A variable may hold the notes on an account that the assistant is to know; a whole document does not belong there."""


def _text(value: Any, *, longest: int = _LONGEST_NAME) -> str:
    if not isinstance(value, str):
        raise flaw("this must be one text", allowed="a text")
    if not value.strip():
        raise flaw("this may not be empty", allowed="a text that is not empty")
    if len(value) > longest:
        raise flaw(f"this is longer than {longest:,} characters", allowed=f"at most {longest:,} characters")
    return value.strip()


def _plain_text(value: Any) -> str:
    return _text(value)


Text = Annotated[str, PlainValidator(_plain_text), WithJsonSchema(_WORD_OR_NUMBER | {"minLength": 1})]
"""Text that is not empty, without blanks around it."""


def _loose_text(value: Any) -> str:
    return "" if value is None or value == "" else _text(value, longest=_LONGEST_VARIABLE)


LooseText = Annotated[str, PlainValidator(_loose_text), WithJsonSchema({"type": ["string", "number", "null"]})]
"""Text that may be empty, as a cell of a table may."""


def shaped(pattern: str, *, allowed: str, why: str) -> tuple[Any, ...]:
    """A text of one shape, checked by us and by the editor alike."""
    shape = re.compile(pattern)

    def read(value: Any) -> str:
        text = _text(value)
        if shape.fullmatch(text) is None:
            raise flaw(why, allowed=allowed)
        return text

    return PlainValidator(read), WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})


Slug = Annotated[
    str,
    *shaped(
        "[a-z0-9][a-z0-9-]{0,62}",
        allowed="1 to 63 small letters, digits and hyphens, beginning with a letter or digit",
        why="a name goes into commands and addresses",
    ),
]
Disposition = Annotated[
    str,
    *shaped(
        "[A-Za-z0-9][A-Za-z0-9_.-]{0,62}",
        allowed="letters, digits, _ . and -, such as promise_to_pay",
        why="a disposition is one word, as the assistant reports it",
    ),
]


def _instant(value: Any) -> datetime:
    text = _text(value)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise flaw("this is no date and time", allowed=_INSTANT) from None
    if re.fullmatch(r"\d{4}-?\d\d-?\d\d", text):
        raise flaw("this is a date without a time", allowed=_INSTANT)
    if instant.tzinfo is None:
        raise flaw("this time has no offset from UTC; add an offset such as -05:00, or Z for UTC", allowed=_INSTANT)
    if not 2000 <= instant.year < 2200:
        raise flaw("the year is far away", allowed="a year from 2000 to 2199")
    return instant.astimezone(UTC)


_INSTANT = "a date and time with an offset, such as 2026-12-01T08:00:00-05:00"


def _write_instant(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    PlainValidator(_instant),
    PlainSerializer(_write_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-12-01T08:00:00-05:00"]}),
]
"""Aware, held in UTC."""


def _duration_reader(shortest: timedelta, *, longest: timedelta) -> Callable[[Any], timedelta]:
    def read(value: Any) -> timedelta:
        text = _text(value)
        try:
            duration = parse_duration(text)
        except DurationError:
            raise flaw("this is no duration up to a year", allowed=_DURATION) from None
        if duration < shortest:
            raise flaw("this is too short", allowed=f"at least {format_duration(shortest)}")
        if duration > longest:
            raise flaw("this is too long", allowed=f"at most {format_duration(longest)}")
        return duration

    return read


_DURATION = "a duration such as 90s, 10m, 2h, 15d or 1h30m"
_DURATION_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "pattern": "^(?=[0-9])([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$",
        "examples": ["90s", "10m", "1h30m", "15d"],
    }
)
_WRITE_DURATION = PlainSerializer(format_duration, return_type=str)

Duration = Annotated[
    timedelta,
    PlainValidator(_duration_reader(timedelta(seconds=1), longest=LONGEST_DURATION)),
    _WRITE_DURATION,
    _DURATION_SCHEMA,
]
"""At least one second."""
Guard = Annotated[
    timedelta,
    PlainValidator(_duration_reader(timedelta(), longest=timedelta(hours=1))),
    _WRITE_DURATION,
    _DURATION_SCHEMA,
]
"""From `0s` to an hour: a longer guard would leave nothing of an ordinary day's window."""


def _zone(value: Any) -> str:
    name = _text(value)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        nearest = nearest_of(name, sorted(available_timezones()))
        raise flaw("this is no time zone", allowed="an IANA zone such as America/New_York", nearest=nearest) from None
    return name


Zone = Annotated[str, PlainValidator(_zone), WithJsonSchema({"type": "string", "examples": ["America/New_York"]})]


def _template(value: Any) -> str:
    if isinstance(value, dict):
        raise flaw('a template in braces must be quoted, such as "{name}"', allowed="a text in quotes")
    text = _loose_text(value)
    try:
        placeholders(text)
    except TemplateError as error:
        raise flaw(str(error), allowed='a text such as "{name}" or "Dear {name}"') from None
    return text


Template = Annotated[
    str, PlainValidator(_template), WithJsonSchema(_WORD_OR_NUMBER | {"examples": ["{name}", "Dear {name}"]})
]


def _no_truth_value(value: Any) -> Any:
    """In Python `True` is the number 1; in a campaign it is a mistake."""
    return str(value) if isinstance(value, bool) else value


WholeNumber = Annotated[int, BeforeValidator(_no_truth_value)]
Count = Annotated[WholeNumber, Field(ge=1, le=1_000_000_000)]
"""A whole number from 1; the upper bound is what the database's integer column holds."""
Rate = Annotated[float, BeforeValidator(_no_truth_value), Field(gt=0, le=10_000, allow_inf_nan=False)]
"""Calls per second. Rates below one are fine: 0.1 is a call every ten seconds."""
Money = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=4, allow_inf_nan=False)]
"""US dollars."""
