"""Time zones: where the rules of a zone come from, and when its offset from UTC changes."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.metadata import version
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, reset_tzpath

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class UnreadableZoneError(ValueError):
    """No such IANA time zone. The message names it."""


class OffsetSegment(NamedTuple):
    """A stretch `[start, end)` of UTC in which a zone keeps one offset."""

    start: datetime
    end: datetime
    offset: timedelta


def use_packaged_zones() -> None:
    """Read zones from the `tzdata` package only, for this whole process; the composition root calls it first.

    `zoneinfo` prefers the operating system's files, which may be a year behind: Debian 12 and tzdata 2026f
    disagree by an hour on several zones from 2026-11-01.
    """
    reset_tzpath(to=[])
    ZoneInfo.clear_cache()
    zone.cache_clear()
    offset_segments.cache_clear()


@lru_cache(maxsize=1)
def tzdata_version() -> str:
    """The release of the packaged zones, such as `2026.6`: on record with every decision."""
    return version("tzdata")


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises `UnreadableZoneError`."""
    try:
        return ZoneInfo(name)
    # A folder of the zone tree ("America") shows as OSError, a path outside of it as ValueError.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnreadableZoneError(f"{name!r} is not a time zone; use an IANA name such as America/New_York") from error


def offset_at(name: str, instant: datetime) -> timedelta:
    """The zone's offset from UTC at an aware instant."""
    offset = instant.astimezone(zone(name)).utcoffset()
    assert offset is not None  # noqa: S101  an aware instant in a ZoneInfo always has one
    return offset


@lru_cache(maxsize=8192)
def offset_segments(name: str, start: datetime, end: datetime) -> tuple[OffsetSegment, ...]:
    """`[start, end)`, whole seconds, cut where the zone's offset changes. No zone changes twice within a day."""
    segments = []
    opened, offset, day = start, offset_at(name, start), start
    while day < end:
        following = min(day + _DAY, end)
        changed = offset_at(name, following)
        if changed != offset:
            instant = _change_between(name, day, following)
            segments.append(OffsetSegment(opened, instant, offset))
            opened, offset = instant, changed
        day = following
    if opened < end:
        segments.append(OffsetSegment(opened, end, offset))
    return tuple(segments)


def _change_between(name: str, before: datetime, after: datetime) -> datetime:
    """The first second with the offset of `after`, by bisection."""
    old = offset_at(name, before)
    while after - before > _SECOND:
        middle = (before + (after - before) // 2).replace(microsecond=0)
        before, after = (middle, after) if offset_at(name, middle) == old else (before, middle)
    return after


def same_rules(first: str, second: str, *, year: int) -> bool:
    """Whether two zones keep the same clock in a year and the next: Boise and Denver do, Phoenix does not.

    Raises `UnreadableZoneError`.
    """
    return first == second or _clock_of(first, year=year) == _clock_of(second, year=year)


def _clock_of(name: str, *, year: int) -> tuple[OffsetSegment, ...]:
    """How a zone's clock runs over two years, so that a zone without summer time differs from one that has it."""
    return offset_segments(name, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC))


def local_date(name: str, instant: datetime) -> date:
    """The date on the wall there."""
    return instant.astimezone(zone(name)).date()


def midnight_after(name: str, instant: datetime) -> datetime:
    """The UTC instant at which the zone's next date begins.

    A midnight that the clock skips is where it jumps. One that it shows twice (Newfoundland set its clock back at
    00:01) is the later one, once the first has passed.
    """
    there = zone(name)
    midnight = datetime.combine(local_date(name, instant) + _DAY, time(), tzinfo=there)
    first = midnight.astimezone(UTC)
    return first if first > instant else midnight.replace(fold=1).astimezone(UTC)
