"""Which calls `Calls` and `RecentCalls` still know: the first forgets within hours, the second within weeks."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.jambonz.dialect import JAMBONZ
from campaigns.simulator.jambonz.statuses import state_of
from campaigns.simulator.simulation import Simulation

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
MOST_RECENT = 500
"""Largest `count` that `RecentCalls` takes."""


class WrongQueryError(ValueError):
    """A query argument is missing or out of range; the message is what jambonz says of it."""


class Memory:
    """The two memories of one simulated jambonz."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._removed: set[str] = set()

    def call(self, account_sid: str, call_sid: str) -> SimulatedCall | None:
        """None: not one of this account, removed, or forgotten."""
        call = self._simulation.book.get(JAMBONZ, call_sid)
        return call if call is not None and _is_of(call, account_sid) and self._is_live(call) else None

    def remove(self, call: SimulatedCall) -> None:
        """`Calls` no longer shows it; it rings on, and `RecentCalls` will have it."""
        self._removed.add(call.id)

    def calls(self, account_sid: str, query: Mapping[str, str]) -> list[SimulatedCall]:
        """Newest first; the filters compare exactly."""
        jambonz = self._simulation.config.jambonz
        since_ms = self._ago_ms((jambonz.live_hours + jambonz.final_hours) * HOUR_MS)
        found = self._of_account(account_sid, from_ms=since_ms)
        return [call for call in found if self._is_live(call) and self._matches(call, query)]

    def in_flight(self, account_sid: str) -> int:
        """Calls of the account that are not over."""
        return sum(call.status != "ended" for call in self.calls(account_sid, {}))

    def recent(self, account_sid: str, query: Mapping[str, str]) -> tuple[list[SimulatedCall], int]:
        """One page of the calls that are over, newest first, and how many there are in all.
        Raises `WrongQueryError`."""
        page, count = _page(query, fewest=self._simulation.config.jambonz.fewest_recent)
        oldest_ms = self._ago_ms(self._simulation.config.jambonz.recent_days * DAY_MS)
        from_ms, to_ms = _span(query, now_ms=self._simulation.clock.now_ms())
        over = [
            call
            for call in self._of_account(account_sid, from_ms=max(oldest_ms, from_ms), to_ms=to_ms)
            if call.reported and _is_wanted(call, query)
        ]
        first = (page - 1) * count
        return over[first : first + count], len(over)

    def _of_account(self, account_sid: str, *, from_ms: int, to_ms: int | None = None) -> Iterator[SimulatedCall]:
        latest_ms = self._simulation.clock.now_ms() if to_ms is None else to_ms
        for call in self._simulation.book.newest_first(JAMBONZ, from_ms=from_ms, to_ms=latest_ms):
            if _is_of(call, account_sid):
                yield call

    def _is_live(self, call: SimulatedCall) -> bool:
        """From a SIP status of 200 or above on, the shorter time counts: also while a call is talking."""
        jambonz = self._simulation.config.jambonz
        final_ms = call.ended_ms or call.started_ms
        hours = jambonz.live_hours if final_ms is None else jambonz.final_hours
        since_ms = call.created_ms if final_ms is None else final_ms
        return call.id not in self._removed and since_ms >= self._ago_ms(hours * HOUR_MS)

    def _matches(self, call: SimulatedCall, query: Mapping[str, str]) -> bool:
        state = state_of(call, status=call.status, config=self._simulation.config)
        facts = {"direction": "outbound", "from": call.line, "to": call.number, "callStatus": state.call_status}
        return all(query.get(name, value) == value for name, value in facts.items())

    def _ago_ms(self, simulated_ms: float) -> int:
        return self._simulation.clock.now_ms() - int(simulated_ms / self._simulation.config.speed)


def _is_of(call: SimulatedCall, account_sid: str) -> bool:
    return bool(call.request["account_sid"] == account_sid)


def _page(query: Mapping[str, str], *, fewest: int) -> tuple[int, int]:
    page, count = _whole(query.get("page")), _whole(query.get("count"))
    if page is None or page < 1:
        raise WrongQueryError('missing or invalid "page" query arg')
    if count is None or not fewest <= count <= MOST_RECENT:
        raise WrongQueryError('missing or invalid "count" query arg')
    return page, count


def _span(query: Mapping[str, str], *, now_ms: int) -> tuple[int, int]:
    """`days` goes before `start` and `end`."""
    if "days" in query:
        days = _whole(query["days"])
        if days is None or not 1 <= days <= 30:
            raise WrongQueryError('invalid "days" query arg')
        return now_ms - days * DAY_MS, now_ms
    return _instant(query, "start", default=0), _instant(query, "end", default=now_ms)


def _instant(query: Mapping[str, str], name: str, *, default: int) -> int:
    if name not in query:
        return default
    try:
        return int(datetime.fromisoformat(query[name]).timestamp() * 1000)
    except ValueError:
        raise WrongQueryError(f'invalid "{name}" query arg') from None


def _is_wanted(call: SimulatedCall, query: Mapping[str, str]) -> bool:
    answered = str(call.started_ms is not None).lower()
    if query.get("answered", answered) != answered or query.get("direction", "outbound") != "outbound":
        return False
    return "filter" not in query or query["filter"] in {call.number, call.line, call.id}


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
