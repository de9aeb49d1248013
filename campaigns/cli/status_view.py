"""How a campaign's status looks: a panel of bars on a terminal, one line when piped."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from campaigns.services.status import CampaignStatus

BAR_WIDTH = 40
STATE_COLOURS = {
    "scheduled": "blue",
    "queued": "cyan",
    "dialing": "bright_cyan",
    "in_progress": "green",
    "fate_unknown": "magenta",
    "completed": "bright_green",
    "exhausted": "yellow",
    "blocked": "red",
    "expired": "bright_black",
    "cancelled": "bright_black",
    "failed": "bright_red",
}
"""Every call state, in the order of the way of a call."""

REHEARSAL_ZONE = "America/New_York"
MOST_WAITING = 3


def status_panel(status: CampaignStatus) -> RenderableType:
    """Everything about one campaign that fits on a screen."""
    return Group(
        Text(headline(status), style="bold"),
        _bars(status),
        Text(f"outcomes  {counts(status.by_outcome) or '–'}"),
        Text(f"refusals  {counts(status.refusals_by_rule) or '–'}"),
        Text(f"waiting   {waiting_line(status) or '–'}"),
    )


def status_line(status: CampaignStatus) -> str:
    """The same as one line for a log."""
    states = counts({state: status.by_state.get(state, 0) for state in STATE_COLOURS})
    return f"{headline(status)} · {states or 'reading the list'} · waiting {waiting_line(status) or '–'}"


def headline(status: CampaignStatus) -> str:
    """Name, campaign clock, progress, real pace."""
    total = sum(status.by_state.values())
    parts = [
        f"{status.campaign} {clock_text(status)}",
        f"{status.final}/{total} final",
        f"{status.dials} dials, {status.pace:.1f} a real second" if status.rehearsal else f"{status.pace:.1f} dials/s",
        f"{status.in_flight} in flight",
    ]
    if status.unknown:
        parts.append(f"{status.unknown} of unknown fate")
    if status.held_by:
        parts.append(status.held_by)
    return " · ".join(parts)


def clock_text(status: CampaignStatus) -> str:
    """The campaign's clock; of a rehearsal in the time of New York, with its speed."""
    if not status.rehearsal:
        return status.campaign_at.strftime("%a %d %b %H:%M UTC")
    there = status.campaign_at.astimezone(ZoneInfo(REHEARSAL_ZONE))
    return f"[{there:%a %d %b %H:%M} New York, clock ×{status.clock_speed:g}]"


def waiting_line(status: CampaignStatus) -> str:
    """What the next waiting calls wait for; groups that wait for the same moment in the same zones are one entry."""
    entries: dict[tuple[str, str], int] = {}
    for each in status.waiting:
        entry = _group_name(each.group), _until(each.due_at, now=status.campaign_at)
        entries[entry] = entries.get(entry, 0) + each.calls
    shown = [f"{calls} {name} {until}" for (name, until), calls in list(entries.items())[:MOST_WAITING]]
    return ", ".join(shown) + (" …" if len(entries) > MOST_WAITING else "")


def counts(numbers: Mapping[str, int]) -> str:
    """`answered 12, busy 3`, without the zeros."""
    return ", ".join(f"{name} {count}" for name, count in numbers.items() if count)


def _bars(status: CampaignStatus) -> Table:
    total = sum(status.by_state.values()) or 1
    table = Table.grid(padding=(0, 1))
    for state, count in _present(status.by_state):
        filled = max(1, round(BAR_WIDTH * count / total))
        table.add_row(state, Text("█" * filled, style=STATE_COLOURS[state]), str(count))
    if status.rejected:
        table.add_row("rejected rows", "", str(status.rejected))
    return table


def _present(by_state: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    return ((state, by_state[state]) for state in STATE_COLOURS if by_state.get(state))


def _group_name(key: str) -> str:
    """A zone group's key begins with its zones; their last parts are enough for a line."""
    zones = key.split("|", 1)[0].split(",")
    return "/".join(zone.rsplit("/", 1)[-1].replace("_", " ") for zone in zones)


def _until(due_at: datetime, *, now: datetime) -> str:
    if due_at <= now:
        return "due now"
    minutes = round((due_at - now).total_seconds() / 60)
    return f"in {minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"in {minutes} min"


def overview(statuses: Iterable[CampaignStatus]) -> Table:
    """All campaigns, one a line."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("campaign", "state", "clock", "final", "dials", "per s", "in flight", "held by"):
        table.add_column(column)
    for each in statuses:
        total = sum(each.by_state.values())
        table.add_row(
            each.campaign,
            "finished" if each.finished else each.state,
            clock_text(each).replace("[", r"\["),
            f"{each.final}/{total}",
            str(each.dials),
            f"{each.pace:.1f}",
            str(each.in_flight),
            each.held_by or "",
        )
    return table
