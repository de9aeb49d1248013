"""The promises of DESIGN.md §1, looked at after every commit and at every request that leaves. Raises `Broken`."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.calls.states import FINAL_CALL_STATES, CallState, may_move
from campaigns.providers.contract import DialRequest
from interleaving.provider_model import Leave, PlacedCall, ProviderModel
from interleaving.stage import Broken, Stage
from interleaving.virtual_sql import VirtualSql

ROUNDING = 1e-5
"""Seconds: instants go through microseconds and doubles."""

_WRONG_ROWS = """
    SELECT id, state, reason, epoch FROM calls
    UNION ALL
    SELECT 0, what, NULL, 0 FROM (
    SELECT 'more in flight than the account allows: ' || u.used || ' of ' || u.most AS what FROM (
        SELECT min(a.concurrency) AS most,
            (SELECT count(*) FROM live WHERE holds_slot) + (SELECT count(*) FROM calls WHERE state = 'queued') AS used
        FROM accounts a) u WHERE u.used > u.most
    UNION ALL
    SELECT 'campaign ' || c.name || ' has more in flight than it allows' FROM campaigns c
    WHERE (SELECT count(*) FROM live l WHERE l.campaign_id = c.id AND l.holds_slot)
        + (SELECT count(*) FROM calls q WHERE q.campaign_id = c.id AND q.state = 'queued') > c.concurrency
    UNION ALL
    SELECT 'campaign ' || c.name || ' is over its budget' FROM campaigns c
    WHERE (SELECT count(*) FROM attempts t WHERE t.campaign_id = c.id AND t.counts)
        + (SELECT count(*) FROM calls q WHERE q.campaign_id = c.id AND q.state = 'queued') > c.dial_budget
    UNION ALL
    SELECT 'line ' || u.line || ' is over its daily limit' FROM (
        SELECT line, day, count(*) AS used FROM (
            SELECT line, date_trunc('day', campaign_at) AS day FROM attempts WHERE counts
        ) each GROUP BY line, day) u
    WHERE u.used > (SELECT max(line_daily_limit) FROM campaigns HAVING bool_and(line_daily_limit IS NOT NULL))
    UNION ALL
    SELECT 'attempt ' || t.id || ' is ' || t.state || ' and holds no number' FROM attempts t
    WHERE t.state IN ('dialing', 'in_progress', 'ended')
        AND NOT EXISTS (SELECT FROM live l WHERE l.attempt_id = t.id AND (l.holds_slot OR t.state = 'ended'))
    UNION ALL
    SELECT 'call ' || call_id || ' has ' || count(*) || ' open attempts' FROM attempts
    WHERE closed_at IS NULL GROUP BY call_id HAVING count(*) > 1
    UNION ALL
    SELECT 'call ' || c.id || ' is ' || c.state || ' and its newest attempt is ' || coalesce(t.state, 'none')
    FROM calls c LEFT JOIN LATERAL (
        SELECT state FROM attempts WHERE call_id = c.id ORDER BY attempt_no DESC LIMIT 1) t ON true
    WHERE (c.state IN ('scheduled', 'queued') AND t.state NOT IN ('closed', 'not_dialed'))
        OR (c.state IN ('dialing', 'in_progress', 'fate_unknown')
            AND coalesce(t.state, 'none') NOT IN ('dialing', 'in_progress', 'ended', 'fate_unknown'))
    UNION ALL
    SELECT 'attempt ' || t.id || ' has not exactly one permit on record' FROM attempts t
    WHERE (SELECT count(*) FROM decisions d WHERE d.attempt_id = t.id AND d.verdict = 'permit') <> 1
    UNION ALL
    SELECT 'call ' || c.id || ' is blocked and nothing on record says why' FROM calls c
    WHERE c.state = 'blocked' AND NOT EXISTS (SELECT FROM revocations r WHERE r.number = c.number)
        AND NOT EXISTS (SELECT FROM decisions d WHERE d.call_id = c.id AND d.verdict = 'refusal')
    UNION ALL
    SELECT 'attempt ' || t.id || ' opted out and nothing was revoked' FROM attempts t
    WHERE t.disposition = 'opt_out' AND NOT EXISTS (SELECT FROM revocations r WHERE r.attempt_id = t.id)
    UNION ALL
    SELECT 'call ' || id || ' is ' || state || ' although it was to end: ' || stop_reason FROM calls
    WHERE state IN ('scheduled', 'queued') AND stop_reason IS NOT NULL
    UNION ALL
    SELECT 'alarm: ' || kind || ', ' || detail FROM alarms
    WHERE kind IN ('second_provider_call', 'two_calls_live', 'not_dialed_but_reported', 'reported_but_not_dialed')
    ) wrong ORDER BY 1
"""
"""Every call, and with the id 0 whatever is wrong."""
_ATTEMPT = """
    SELECT t.call_id, t.state, t.claimed_at, t.send_by, t.campaign_id, t.number,
        r.latest_at, c.clock_campaign_at, c.clock_machine_at, c.clock_speed,
        EXISTS (SELECT FROM decisions d WHERE d.attempt_id = t.id AND d.verdict = 'permit') AS permitted,
        EXISTS (SELECT FROM revocations v WHERE v.number = t.number AND v.recorded_at <= t.claimed_at) AS revoked,
        EXISTS (SELECT FROM attempts o WHERE o.call_id = t.call_id AND o.id <> t.id AND o.closed_at IS NULL) AS another,
        EXISTS (SELECT FROM attempts o WHERE o.call_id = t.call_id AND o.outcome = 'answered') AS reached,
        ARRAY(SELECT o.id FROM attempts o WHERE o.call_id = t.call_id AND o.provider_call_id IS NOT NULL) AS known
    FROM attempts t JOIN runs r ON r.id = t.run_id JOIN campaigns c ON c.id = t.campaign_id WHERE t.id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call as it was after the last commit."""

    state: str
    reason: str | None
    epoch: int


class Promises:
    """What must hold, and what it is judged by: the rows, the requests that left, the provider's calls, and which
    stopping commands have returned."""

    def __init__(self, stage: Stage, sql: VirtualSql, model: ProviderModel) -> None:
        self._stage = stage
        self._sql = sql
        self._model = model
        self._known: dict[int, KnownCall] = {}
        self.leaves: list[Leave] = []
        self.commits = 0
        self.moves = 0
        """Of calls, as commits showed them."""
        self.campaign_rates: dict[int, float] = {}
        self.account_rate = 0.0
        self.revoked: set[str] = set()
        """Numbers whose `revoke` has returned."""
        self.switched_off: set[str] = set()
        """Campaigns whose pause or cancel has returned, or `all`; taken away when the opposite begins."""
        model.on_accept = self.accepted

    # --- after a commit ----------------------------------------------------------------------------------------

    def committed(self, who: str) -> None:
        """Look at all rows; the difference to the last look goes into the trace."""
        self.commits += 1
        rows = self._sql.look(_WRONG_ROWS)
        self._compare([row for row in rows if row.id], who)
        if wrong := [row.state for row in rows if not row.id]:
            raise Broken(f"after a commit of {who}: {'; '.join(wrong)}")

    def states(self) -> tuple[str, ...]:
        """How the calls stand, by id."""
        return tuple(call.state for _, call in sorted(self._known.items()))

    def calls_in(self, *states: str) -> list[int]:
        """Ids of the calls that were in these states after the last commit."""
        return [call_id for call_id, call in sorted(self._known.items()) if call.state in states]

    def _compare(self, calls: Any, who: str) -> None:
        for row in calls:
            now = KnownCall(row.state, row.reason, row.epoch)
            before = self._known.get(row.id)
            if before == now:
                continue
            self._known[row.id] = now
            self.moves += 1
            self._stage.trace.note(who, f"call {row.id}: {before.state if before else 'new'} → {_words(now)}")
            if before is not None:
                self._check_move(row.id, before, now)

    def _check_move(self, call_id: int, before: KnownCall, now: KnownCall) -> None:
        if now.epoch < before.epoch:
            raise Broken(f"the epoch of call {call_id} went back")
        origin, target = CallState(before.state), CallState(now.state)
        if origin in FINAL_CALL_STATES:
            raise Broken(f"call {call_id} was over ({before.state}) and is {now.state}")
        if target is not origin and not may_move(origin, target) and origin is not CallState.SCHEDULED:
            raise Broken(f"call {call_id} moved {origin} → {target}")

    # --- at a request ------------------------------------------------------------------------------------------

    def left(self, request: DialRequest, who: str) -> int:
        """A request leaves now; returns its call's id."""
        now = self._stage.now
        found = self._sql.look(_ATTEMPT, id=request.attempt_id)
        if not found:
            raise Broken(f"{who} sent a request without a committed attempt")
        (row,) = found
        self._stage.trace.note(who, f"the request of call {row.call_id} leaves")
        self._check_once(request.attempt_id, row.call_id)
        self._check_known(row)
        self._check_permit(row)
        self._check_stopped(row)
        self.leaves.append(Leave(now, request.attempt_id, row.number, row.campaign_id, "g"))
        self._check_rate(now)
        return int(row.call_id)

    def _check_once(self, attempt_id: UUID, call_id: int) -> None:
        if any(leave.attempt_id == attempt_id for leave in self.leaves):
            raise Broken(f"attempt {attempt_id} of call {call_id} was requested twice")

    def _check_known(self, row: Any) -> None:
        """Nobody is dialed again as long as the provider may have a call of theirs that we do not know of."""
        for call in self._model.calls.values():
            if call.call_id == row.call_id and call.attempt_id not in row.known:
                raise Broken(f"call {row.call_id} is dialed again, and we do not know of {call.id}")

    def _check_permit(self, row: Any) -> None:
        now = self._stage.instant
        slack = timedelta(seconds=ROUNDING)
        if not row.permitted:
            raise Broken(f"call {row.call_id}: a request without a permit on record")
        if now > row.send_by + slack or now > row.claimed_at + PERMIT_LIFETIME + slack:
            raise Broken(f"call {row.call_id}: its permit lapsed {now - row.send_by} ago")
        campaign_at = now
        if row.clock_campaign_at is not None:
            campaign_at = row.clock_campaign_at + (now - row.clock_machine_at) * row.clock_speed
        if campaign_at > row.latest_at + slack:
            raise Broken(f"call {row.call_id}: a request after latestAt")
        local_hour = (campaign_at - timedelta(hours=5)).hour  # New York in December
        if not 8 <= local_hour < 21:
            raise Broken(f"call {row.call_id}: a request at {local_hour} o'clock of its person")

    def _check_stopped(self, row: Any) -> None:
        if row.number in self.revoked:
            raise Broken(f"call {row.call_id}: a request after revoke had returned")
        if row.revoked:
            raise Broken(f"call {row.call_id}: claimed after its person had revoked")
        if row.another:
            raise Broken(f"call {row.call_id}: a request while another attempt of it is open")
        if row.reached:
            raise Broken(f"call {row.call_id}: a request although its person was reached before")
        off = self.switched_off & {"all", str(row.campaign_id)}
        if off:
            raise Broken(f"call {row.call_id}: a request although dialing was switched off ({off.pop()})")

    def _check_rate(self, now: float) -> None:
        """In the second that ends now, of the account and of each campaign."""
        recent = [leave for leave in self.leaves if leave.at > now - 1 + ROUNDING]
        by_campaign: dict[int, int] = defaultdict(int)
        for leave in recent:
            by_campaign[leave.campaign_id] += 1
        if len(recent) > max(1.0, self.account_rate):
            raise Broken(f"{len(recent)} requests in a second, allowed are {self.account_rate}")
        for campaign_id, count in by_campaign.items():
            if count > max(1.0, self.campaign_rates.get(campaign_id, count)):
                raise Broken(f"{count} requests of campaign {campaign_id} in a second")

    # --- at the provider ---------------------------------------------------------------------------------------

    def accepted(self, call: PlacedCall) -> None:
        """The provider made a call."""
        now = self._stage.now
        others = [each for each in self._model.calls.values() if each is not call]
        for other in others:
            if other.number == call.number and other.is_live(now):
                raise Broken(f"{call.number[-4:]} has two calls: {other.id} and {call.id}")
            if other.attempt_id == call.attempt_id:
                raise Broken(f"one attempt made {other.id} and {call.id}")
            if other.call_id == call.call_id and not (other.verdict.retryable or other.taken_back):
                raise Broken(f"call {call.call_id} rings again after {other.verdict.outcome}")
        most = self._sql.look("SELECT min(concurrency) AS most FROM accounts")[0].most
        live = sum(each.is_live(now) for each in self._model.calls.values())
        if live > most:
            raise Broken(f"{live} calls are live at the provider, allowed are {most}")


def _words(call: KnownCall) -> str:
    return f"{call.state}{f' ({call.reason})' if call.reason else ''} @{call.epoch}"
