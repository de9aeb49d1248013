"""When a recurring campaign runs: five-field cron in the schedule's own zone, by croniter.

croniter reads more than five-field cron (a sixth field of seconds, `@daily`, `R` for random, ranges that run
backwards), and since its version 7 reads `59/15` in a way of its own. What is not plain cron is refused here,
so that a schedule means the same to everyone who reads it.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from croniter import CroniterBadDateError, croniter

_PROBE_AT = datetime(2026, 1, 1, tzinfo=UTC)
"""Any instant will do to see whether an expression ever matches; a fixed one keeps the answer the same."""
_STEP_BACK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """A valid expression and the zone whose wall clock it is written for.

    A wall-clock time that the spring change leaves out fires at the first instant after the gap. A time that
    the autumn change repeats fires once, the first time, unless the hour field has a `*`: then both hours run.
    """

    expression: str
    zone: tzinfo
    _repeats_hours: bool = field(init=False)

    def __post_init__(self) -> None:
        if problem := cron_problem(self.expression):
            raise ValueError(problem)
        object.__setattr__(self, "_repeats_hours", "*" in self.expression.split()[1])

    def next_slot(self, after: datetime) -> datetime:
        """The first slot strictly later than `after` (aware), in UTC."""
        if after.tzinfo is None:
            raise ValueError("next_slot needs an instant with an offset")
        slots = croniter(self.expression, after.astimezone(self.zone))
        slot = slots.get_next(datetime)
        while slot.fold and not self._repeats_hours:
            slot = slots.get_next(datetime)
        return slot.astimezone(UTC)

    def first_slot(self, *, at_or_after: datetime) -> datetime:
        """The first slot not earlier than `at_or_after`, in UTC."""
        return self.next_slot(at_or_after - _STEP_BACK)


def cron_problem(expression: str) -> str | None:
    """What is wrong with a cron expression, in one sentence that says what to write, or None."""
    if not _ALLOWED_CHARACTERS.fullmatch(expression):
        return "a cron expression has only digits, names of months and days, and the characters * / , -"
    texts = expression.split()
    if len(texts) != len(_FIELDS):
        names = ", ".join(each.name for each in _FIELDS)
        return f"a cron expression has exactly 5 fields ({names}); this one has {len(texts)}"
    for cron_field, text in zip(_FIELDS, texts, strict=True):
        for term in text.split(","):
            if problem := _term_problem(cron_field, term):
                return f"{cron_field.name} {text!r}: {problem}"
    return _matching_problem(expression)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    lowest: int
    highest: int
    words: tuple[str, ...] = ()

    def value(self, text: str, *, ends_range: bool) -> int | None:
        """The number that a digit string or a name stands for; None if it is neither or out of range."""
        if text.lower() in self.words:
            value = self.words.index(text.lower()) + self.lowest
            return 7 if ends_range and text.lower() == "sun" else value
        return int(text) if text.isdigit() and self.lowest <= int(text) <= self.highest else None


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    _Field("day of week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_ALLOWED_CHARACTERS = re.compile(r"[0-9A-Za-z*/,\- ]*")
_TERM = re.compile(r"(?P<range>\*|(?P<first>\w+)(-(?P<last>\w+))?)(/(?P<step>[0-9]{1,2}))?")


def _term_problem(cron_field: _Field, term: str) -> str | None:
    match = _TERM.fullmatch(term)
    if match is None:
        return f"{term!r} is not cron; write *, 5, 1-5, */15, 1-30/5 or a list of these"
    return _range_problem(cron_field, match) or _step_problem(cron_field, match)


def _range_problem(cron_field: _Field, match: re.Match[str]) -> str | None:
    if match["range"] == "*":
        return None
    first = cron_field.value(match["first"], ends_range=False)
    last = cron_field.value(match["last"], ends_range=True) if match["last"] else first
    if first is None or last is None:
        words = f" or {cron_field.words[0]} … {cron_field.words[-1]}" if cron_field.words else ""
        return f"{match['range']!r} is out of range; allowed are {cron_field.lowest} to {cron_field.highest}{words}"
    if last < first:
        return f"{match['range']!r} runs backwards; write it as two ranges with a comma"
    return None


def _step_problem(cron_field: _Field, match: re.Match[str]) -> str | None:
    if match["step"] is None:
        return None
    if match["range"] != "*" and match["last"] is None:
        return f"{match[0]!r} has a step without a range; write */{match['step']} or a range such as 1-5/2"
    if not 1 <= int(match["step"]) <= cron_field.highest:
        return f"{match[0]!r} has a step out of range; allowed are 1 to {cron_field.highest}"
    return None


def _matching_problem(expression: str) -> str | None:
    never = f"{expression!r} never comes: none of its months has such a day"
    if not croniter.is_valid(expression, strict=True):
        return never
    try:
        croniter(expression, _PROBE_AT).get_next(datetime)
    except CroniterBadDateError:
        return never
    return None
