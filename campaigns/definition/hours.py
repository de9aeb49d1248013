"""Calling hours: `{mon-fri: 09:00-19:00, sat: 10:00-16:00}` to one entry a weekday, and back."""

import re
from datetime import time
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, GetPydanticSchema, PlainValidator, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from campaigns.compliance.facts import CallingHours, DayHours
from campaigns.definition.findings import flaw, nearest_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", re.ASCII)
_DAYS_ALLOWED = "mon, tue, wed, thu, fri, sat, sun, or a range such as mon-fri"
_HOURS_ALLOWED = "hours such as 09:00-19:00, the end after the start, 24:00 for midnight"


def days_of(text: str) -> tuple[int, ...]:
    """`sat` → (5,), `mon-fri` → (0, 1, 2, 3, 4), `sat-mon` → (5, 6, 0). Raises the flaw of an unknown day."""
    names = text.split("-")
    if len(names) > 2 or any(name not in WEEKDAYS for name in names):
        raise flaw("this is no weekday", allowed=_DAYS_ALLOWED, nearest=_nearest_days(names))
    first, last = WEEKDAYS.index(names[0]), WEEKDAYS.index(names[-1])
    return tuple((first + step) % 7 for step in range((last - first) % 7 + 1))


def _nearest_days(names: list[str]) -> str | None:
    """`Monday` → mon, `mon-fry` → mon-fri."""
    meant = [nearest_of(name.strip()[:3], WEEKDAYS) for name in names[:2]]
    known = [day for day in meant if day is not None]
    return "-".join(known) if len(known) == len(meant) else None


def _day_key(text: str) -> str:
    days_of(text)
    return text


def _day_hours(value: Any) -> DayHours:
    match = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise flaw("these are no hours", allowed=_HOURS_ALLOWED)
    opens, closes = _clock(match[1], match[2], is_end=False), _clock(match[3], match[4], is_end=True)
    if closes <= opens:
        raise flaw("the end is not after the start", allowed=_HOURS_ALLOWED)
    return DayHours(opens=opens, closes=closes)


def _clock(hour: str, minute: str, *, is_end: bool) -> time:
    if is_end and (hour, minute) == ("24", "00"):
        return time.max
    if int(hour) > 23 or int(minute) > 59:
        raise flaw(f"{hour}:{minute} is no time of day", allowed=_HOURS_ALLOWED)
    return time(int(hour), int(minute))


def _by_weekday(mapping: dict[str, DayHours]) -> CallingHours:
    if not mapping:
        raise flaw("without a day nobody could ever be called", allowed=f"hours for at least one of {_DAYS_ALLOWED}")
    days: list[DayHours | None] = [None] * 7
    for key, hours in mapping.items():
        for day in days_of(key):
            if days[day] is not None:
                raise flaw(f"{WEEKDAYS[day]} is given twice", allowed="each weekday once")
            days[day] = hours
    return CallingHours(days=tuple(days))


def write_hours(hours: CallingHours) -> dict[str, str]:
    """One key an open day, such as `{"mon": "09:00-19:00"}`."""
    return {
        WEEKDAYS[day]: f"{given.opens:%H:%M}-{'24:00' if given.closes == time.max else f'{given.closes:%H:%M}'}"
        for day, given in enumerate(hours.days)
        if given is not None
    }


_DAY = "(mon|tue|wed|thu|fri|sat|sun)"
_HOURS_SCHEMA = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "patternProperties": {f"^{_DAY}(-{_DAY})?$": {"type": "string", "examples": ["09:00-19:00"]}},
    "examples": [{"mon-fri": "09:00-19:00", "sat": "10:00-16:00"}],
}
_DayKey = Annotated[str, AfterValidator(_day_key)]
_DayValue = Annotated[DayHours, PlainValidator(_day_hours)]


def _schema(_source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    writer = core_schema.plain_serializer_function_ser_schema(write_hours)
    return core_schema.no_info_after_validator_function(
        _by_weekday, handler.generate_schema(dict[_DayKey, _DayValue]), serialization=writer
    )


Hours = Annotated[CallingHours, GetPydanticSchema(_schema), WithJsonSchema(_HOURS_SCHEMA)]
"""A campaign's own hours in the customer's local time; a day left out is closed."""
