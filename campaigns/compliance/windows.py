"""Local hours turned into stretches of UTC, exact through every change of the clocks.

A rule about hours holds in every candidate zone. For each zone the span of UTC is cut where the offset changes;
inside a cut the wall clock runs straight, so local hours become UTC by one subtraction. An hour that a clock
repeats is open twice, an hour that it skips never was.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from campaigns.compliance.decision import Check, Opening
from campaigns.compliance.facts import CallingHours, Plan
from campaigns.compliance.law import Law, WindowRule, campaign_window, law_for
from campaigns.compliance.places import Place
from campaigns.compliance.rules import ALL_DAY, RuleBook, Span, overlap
from campaigns.compliance.zones import OffsetSegment, offset_segments, zone

HORIZON = timedelta(days=400)
"""How far ahead an opening is sought: beyond a year every weekday and listed date has come round."""

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
_CHUNK = timedelta(days=8)
"""Stretches are worked out eight days at a time and kept: a week and the spill of its last evening."""
_KEPT_CHUNKS = 512
_DAY = timedelta(days=1)


class Stretch(NamedTuple):
    """Open throughout `[start, end)`, aware UTC."""

    start: datetime
    end: datetime


class Timeline:
    """When a set of rules is open in every one of some zones."""

    def __init__(self, rules: tuple[WindowRule, ...], zones: tuple[str, ...]) -> None:
        self._rules = rules
        self._zones = zones
        self._chunks: dict[int, tuple[Stretch, ...]] = {}

    def at(self, instant: datetime) -> Stretch | None:
        """The open stretch around an instant; None: closed. Its `end` is exact, its `start` at most too late."""
        index = _index(instant)
        for stretch in self._chunk(index):
            if stretch.end > instant:
                return self._extended(stretch, index) if stretch.start <= instant else None
        return None

    def opening(self, after: datetime, *, until: datetime, end_guard: timedelta) -> Opening | None:
        """The first `[opens_at, closes_at)` not before `after`; None: there is none that begins before `until`."""
        for index in range(_index(after), _index(until) + 1):
            for stretch in self._chunk(index):
                opens_at = max(after, stretch.start)
                closes_at = self._extended(stretch, index).end - end_guard
                if opens_at < min(closes_at, until):
                    return Opening(opens_at=opens_at, closes_at=closes_at)
        return None

    def _extended(self, stretch: Stretch, index: int) -> Stretch:
        """The same stretch to its real end, when that lies beyond its chunk; one longer than the horizon ends there."""
        last = index + HORIZON // _CHUNK
        while index < last and stretch.end == _chunk_start(index + 1):
            index += 1
            following = next(iter(self._chunk(index)), None)
            if following is None or following.start != stretch.end:
                break
            stretch = Stretch(stretch.start, following.end)
        return stretch

    def _chunk(self, index: int) -> tuple[Stretch, ...]:
        kept = self._chunks.get(index)
        if kept is None:
            kept = self._worked_out(_chunk_start(index), _chunk_start(index + 1))
            if len(self._chunks) >= _KEPT_CHUNKS:
                self._chunks.clear()
            self._chunks[index] = kept
        return kept

    def _worked_out(self, start: datetime, end: datetime) -> tuple[Stretch, ...]:
        shared = [Stretch(start, end)]
        for name in self._zones:
            shared = _in_both(shared, _open_in_zone(self._rules, name, start, end))
        return tuple(shared)


class Windows(NamedTuple):
    """The joint timeline of all rules, which answers most questions, and one of each rule, to name what is closed."""

    joint: Timeline
    each: tuple[tuple[WindowRule, Timeline], ...]
    zones: tuple[str, ...]
    all_open: tuple[Check, ...]
    """One passed check a rule, made once: most decisions record just these."""


@lru_cache(maxsize=8192)
def windows_for(law: Law, calling_hours: CallingHours | None, zones: tuple[str, ...]) -> Windows:
    """The timelines of one law and one campaign's hours in some zones."""
    rules = law.windows if calling_hours is None else (campaign_window(calling_hours), *law.windows)
    return Windows(
        joint=Timeline(rules, zones),
        each=tuple((rule, Timeline((rule,), zones)) for rule in rules),
        zones=zones,
        all_open=tuple(_open_check(rule, zones) for rule in rules),
    )


def window_checks(windows: Windows, now: datetime, *, end_guard: timedelta) -> tuple[Check, ...]:
    """One check a rule: open now, and for at least the end guard, in every candidate zone."""
    if _is_open(windows.joint, now, end_guard=end_guard):
        return windows.all_open
    return tuple(
        _open_check(rule, windows.zones)
        if _is_open(timeline, now, end_guard=end_guard)
        else Check(rule.rule_id, False, _why_closed(rule, windows.zones, now, end_guard=end_guard))
        for rule, timeline in windows.each
    )


def _is_open(timeline: Timeline, now: datetime, *, end_guard: timedelta) -> bool:
    stretch = timeline.at(now)
    return stretch is not None and now < stretch.end - end_guard


def _open_check(rule: WindowRule, zones: tuple[str, ...]) -> Check:
    return Check(rule.rule_id, True, f"open in {', '.join(zones)}")


def _why_closed(rule: WindowRule, zones: tuple[str, ...], now: datetime, *, end_guard: timedelta) -> str:
    """The local time and that day's hours in the first zone that is closed; else the end guard is what stops it."""
    for name in zones:
        local = now.astimezone(zone(name))
        hours = rule.hours_on(local.date())
        since_midnight = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
        if hours is None or not hours.opens <= since_midnight < hours.closes:
            named = rule.name_of(local.date())
            because = f" ({named})" if named else ""
            return f"{local:%a %Y-%m-%d %H:%M:%S} in {name}{because}; open {hours or 'at no time'} on that day"
    return f"within the end guard of {end_guard} before the window ends"


def next_opening(
    place: Place, plan: Plan, *, rules: RuleBook, after: datetime, horizon: timedelta = HORIZON
) -> Opening | None:
    """The earliest stretch not before `after` in which law, campaign hours and the plan's own window are all open.

    A dial may start anywhere in `[opens_at, closes_at)`: the end guard has been taken off. None: there is none before
    `latestAt` or within `horizon`, or the place is unknown. Caps and consent are the gate's to check, not this
    function's. Equal for all places with the same `group`, so callers may keep it by that.
    """
    if place.problem is not None:
        return None
    last_at = plan.latest_at - plan.end_guard
    opening = windows_for(
        law_for(rules, place.jurisdictions, plan.purpose), plan.calling_hours, place.zones
    ).joint.opening(max(after, plan.earliest_at), until=min(last_at, after + horizon), end_guard=plan.end_guard)
    return opening and Opening(opens_at=opening.opens_at, closes_at=min(opening.closes_at, last_at))


def hours_on(rules: tuple[WindowRule, ...], day: date) -> Span | None:
    """The hours of a local date that all rules allow; None: closed."""
    hours: Span | None = ALL_DAY
    for rule in rules:
        hours = overlap(hours, rule.hours_on(day))
    return hours


def _index(instant: datetime) -> int:
    return (instant - _EPOCH) // _CHUNK


def _chunk_start(index: int) -> datetime:
    return _EPOCH + index * _CHUNK


def _open_in_zone(rules: tuple[WindowRule, ...], name: str, start: datetime, end: datetime) -> list[Stretch]:
    stretches: list[Stretch] = []
    for segment in offset_segments(name, start, end):
        for stretch in _open_in_segment(rules, segment):
            if stretches and stretches[-1].end == stretch.start:
                stretch = Stretch(stretches.pop().start, stretch.end)
            stretches.append(stretch)
    return stretches


def _open_in_segment(rules: tuple[WindowRule, ...], segment: OffsetSegment) -> list[Stretch]:
    stretches = []
    day = (segment.start + segment.offset).date()
    last = (segment.end + segment.offset).date()
    while day <= last:
        hours = hours_on(rules, day)
        if hours is not None:
            midnight = datetime.combine(day, time(), tzinfo=UTC) - segment.offset
            start, end = max(midnight + hours.opens, segment.start), min(midnight + hours.closes, segment.end)
            if start < end:
                stretches.append(Stretch(start, end))
        day += _DAY
    return stretches


def _in_both(first: list[Stretch], second: list[Stretch]) -> list[Stretch]:
    """What two sorted lists of stretches have in common."""
    shared, left, right = [], 0, 0
    while left < len(first) and right < len(second):
        one, other = first[left], second[right]
        start, end = max(one.start, other.start), min(one.end, other.end)
        if start < end:
            shared.append(Stretch(start, end))
        if one.end <= other.end:
            left += 1
        else:
            right += 1
    return shared
