"""What the gateway shows of its calls: those in its live store, and the records of those that ended.

| where         | how long                                            | what is missing                           |
|---------------|-----------------------------------------------------|-------------------------------------------|
| `Calls`       | 12 h, but 1 h once the call was answered or ended   | tag, times                                |
| `RecentCalls` | 30 days, from the end of the call on                | tag; a call that has not ended            |

So a call that talks for longer than an hour is in neither, until it ends. Sources: jambonz's realtimedb-helpers and
Cognigy's page on recent calls.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from campaigns.providers.cognigy.reports import fields_of, moment, record_report, sid_of, status_report, with_origin
from campaigns.providers.contract import CallReport, Phase, ProviderUnavailableError

PAGE_SIZE = 500
"""The most that the gateway takes for `count`."""
MOST_PAGES = 200
"""100,000 calls; a span with more is to be asked for in parts."""
LIVE_STORE_FORGETS = timedelta(minutes=58)
"""The hour that the live store keeps an answered call, less two minutes for clocks."""
LIVE_STORE_EMPTY = timedelta(hours=12, minutes=5)
"""Nothing in the live store is older."""
RECORD_DELAY = timedelta(minutes=2)
"""From the end of a call to its record; seconds as a rule."""
RECORDS_KEPT = timedelta(days=30) - timedelta(hours=1)

Fetch = Callable[[Mapping[str, str]], Awaitable[Any]]
"""Asks for one page of records."""


@dataclass(frozen=True, slots=True)
class Longest:
    """The longest that a call of the account can take: it rings, then it talks."""

    ring: timedelta
    talk: timedelta

    @property
    def call(self) -> timedelta:
        return self.ring + self.talk


@dataclass(frozen=True, slots=True)
class Seen:
    """One outbound call as the gateway shows it."""

    report: CallReport
    line: str
    to: str
    attempted_at: datetime | None
    """None: only the live store shows the call, and it knows no times."""

    @property
    def is_over(self) -> bool:
        return self.report.phase.rank >= Phase.ENDED.rank


def leaves_a_trace(created_at: datetime, *, now: datetime, longest: Longest) -> bool:
    """Whether a call created then must be in the live store or the records by now."""
    age = now - created_at
    return age <= LIVE_STORE_FORGETS or longest.call + RECORD_DELAY <= age <= RECORDS_KEPT


def span_leaves_a_trace(created_from: datetime, created_to: datetime, *, now: datetime, longest: Longest) -> bool:
    """The same for every instant of a span: its ends, and the stretch between store and records if there is one."""
    ends = all(leaves_a_trace(min(at, now), now=now, longest=longest) for at in (created_from, created_to))
    forgotten_from, recorded_to = now - longest.call - RECORD_DELAY, now - LIVE_STORE_FORGETS
    spans_the_gap = forgotten_from < recorded_to and created_from < recorded_to and created_to > forgotten_from
    return ends and not spans_the_gap


async def records(fetch: Fetch, *, ended_from: datetime, ended_to: datetime) -> tuple[list[Mapping[str, Any]], bool]:
    """All outbound records of the span, each once, and whether that is all of them.

    Calls that end meanwhile push others to the next page: they are then seen twice, never missed.
    Raises `ProviderUnavailableError`.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for page in range(1, MOST_PAGES + 1):
        rows, total = _rows(await fetch(_query(page, ended_from=ended_from, ended_to=ended_to)))
        found |= {sid: row for row in rows if (sid := sid_of(row)) is not None}
        if len(rows) < PAGE_SIZE or (total is not None and page * PAGE_SIZE >= total):
            return [row for row in found.values() if row.get("direction") != "inbound"], True
    return [row for row in found.values() if row.get("direction") != "inbound"], False


def _query(page: int, *, ended_from: datetime, ended_to: datetime) -> dict[str, str]:
    return {"page": str(page), "count": str(PAGE_SIZE), "start": stamp(ended_from), "end": stamp(ended_to)}


def stamp(at: datetime) -> str:
    """`2026-12-01T08:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rows(page: Any) -> tuple[list[dict[str, Any]], int | None]:
    data = page.get("data") if isinstance(page, Mapping) else None
    if not isinstance(data, list) or not all(isinstance(row, Mapping) for row in data):
        raise ProviderUnavailableError("the page of recent calls has no array of objects")
    total = page.get("total")
    return [fields_of(row) for row in data], total if isinstance(total, int) and total >= 0 else None


def live_calls(body: Any) -> list[dict[str, Any]]:
    """The outbound calls of the live store. Raises `ProviderUnavailableError`."""
    if not isinstance(body, list) or not all(isinstance(call, Mapping) for call in body):
        raise ProviderUnavailableError("the list of calls is no array of objects")
    return [call for each in body if (call := fields_of(each)).get("direction") != "inbound"]


def joined(live: list[dict[str, Any]], recorded: list[Mapping[str, Any]]) -> list[Seen]:
    """Each call once: what the live store says of it, with the record's time; or the record alone."""
    by_sid = {sid: row for row in recorded if (sid := sid_of(row)) is not None}
    seen = [_seen(call, status_report(call), by_sid.pop(sid_of(call) or "", None)) for call in live]
    seen += [_seen(row, record_report(row), row) for row in by_sid.values()]
    return [each for each in seen if each is not None]


def _seen(call: Mapping[str, Any], report: CallReport | None, record: Mapping[str, Any] | None) -> Seen | None:
    if report is None:
        return None
    if record is not None and report.phase.rank < Phase.ENDED.rank:
        # The call ended between the two requests.
        report = record_report(record) or report
    return Seen(
        with_origin(report, call if record is None else record),
        line=str(call.get("from") or ""),
        to=str(call.get("to") or ""),
        attempted_at=moment(record.get("attempted_at")) if record is not None else None,
    )
