"""Which line each released call goes out on, and what is left of each line for now."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from campaigns.calls.line_limits import LineLimits, LineSpans
from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.compliance.numbers import country_of
from campaigns.store import feed as rows
from campaigns.store.line_use import LineUse, line_use, lock_lines
from campaigns.store.troubles import barred_lines


def limits_of(campaign: rows.CampaignRoom) -> LineLimits:
    """What the campaign asks of its lines."""
    return LineLimits(daily=campaign.line_daily_limit, hourly=campaign.line_hourly_limit)


def use_of(connection: Connection, campaign: rows.CampaignRoom, lines: Sequence[str]) -> dict[str, LineUse]:
    """What these lines have dialed of the campaign's day and hour."""
    spans = LineSpans.at(campaign.campaign_at, late=PERMIT_LIFETIME * campaign.clock_speed)
    return line_use(connection, lines, day_from=spans.day_from, hour_from=spans.hour_from)


class LineChoice:
    """One for all campaigns of a pass: what one of them is given is missing for the next."""

    def __init__(self, connection: Connection, campaigns: Sequence[rows.CampaignRoom]) -> None:
        lines = sorted({line for each in campaigns for line in each.lines})
        self._connection = connection
        lock_lines(connection, sorted({line for each in campaigns if limits_of(each).any for line in each.lines}))
        self._held = rows.held_lines(connection, lines)
        self._barred = barred_lines(connection, lines)
        self._used: dict[str, LineUse] = {}
        self.nowhere: list[rows.DueCall] = []
        """Calls to countries that no line of their campaign can call."""

    def give(self, campaign: rows.CampaignRoom, calls: Sequence[rows.DueCall]) -> list[tuple[rows.DueCall, str]]:
        """Each call with its line; calls for which no line has anything left now are left out and wait."""
        if limits_of(campaign).any:
            return list(self._within(limits_of(campaign), campaign, calls))
        given = ((call, self._open(campaign, call)) for call in calls)
        return [(call, self._turn(call, lines)) for call, lines in given if lines]

    def _open(self, campaign: rows.CampaignRoom, call: rows.DueCall) -> list[str]:
        """The lines that can call this number, without those that are closed for the day."""
        fit = self._fit(campaign, call)
        if not fit:
            self.nowhere.append(call)
        return [line for line in fit if line not in self._held]

    def _fit(self, campaign: rows.CampaignRoom, call: rows.DueCall) -> Sequence[str]:
        if not self._barred:
            return campaign.lines
        country = country_of(call.number) or ""
        return [line for line in campaign.lines if country not in self._barred.get(line, ())]

    def _turn(self, call: rows.DueCall, lines: Sequence[str]) -> str:
        return call.line if call.line and call.line in lines else lines[call.call_id % len(lines)]

    def _within(
        self, limits: LineLimits, campaign: rows.CampaignRoom, calls: Sequence[rows.DueCall]
    ) -> Iterator[tuple[rows.DueCall, str]]:
        unread = [line for line in campaign.lines if line not in self._used]
        self._used |= use_of(self._connection, campaign, unread) if unread and calls else {}
        for call in calls:
            free = [line for line in self._open(campaign, call) if self._has_left(line, limits)]
            if free:
                line = call.line if call.line in free else min(free, key=lambda each: self._used[each].day)
                self._used[line] = LineUse(self._used[line].day + 1, self._used[line].hour + 1)
                yield call, line

    def _has_left(self, line: str, limits: LineLimits) -> bool:
        return limits.left(day=self._used[line].day, hour=self._used[line].hour) != 0
