"""Why: what holds a campaign or a number at this moment, until when, and what ends it. Nothing is written."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from campaigns.compliance.decision import Permit
from campaigns.services.control import UnknownCampaignError
from campaigns.services.dry_gate import DryDecision, DryGate
from campaigns.services.explain import plain
from campaigns.services.gatekeeper import GateKeeper
from campaigns.services.holds import Hold, room, runs_open, switches
from campaigns.services.rule_views import citation_of
from campaigns.services.status import snapshot
from campaigns.store import explain as number_rows
from campaigns.store import feed as feed_rows
from campaigns.store import why as rows
from campaigns.store.campaigns import campaign_names
from campaigns.store.claims import campaign_facts
from campaigns.store.status import CampaignRow, RunRow, campaign_rows, run_rows

GROUPS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What the gate says right now of one call."""

    verdict: str
    rule_id: str | None
    detail: str
    next_allowed_at: datetime | None
    citation: str | None


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """Calls with the same windows. `due_at`: campaign clock; `gate` speaks of the one that is due next."""

    group: str
    waiting: int
    due_at: datetime
    gate: GateAnswer | None


@dataclass(frozen=True, slots=True)
class CampaignWhy:
    """What holds a campaign. Instants of groups are on its own clock, `campaign_at`."""

    campaign: str
    campaign_at: datetime
    holds: tuple[Hold, ...]
    groups: tuple[WaitingGroup, ...]
    in_flight: int
    answer: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        answer: dict[str, Any] = plain(asdict(self))
        return answer


@dataclass(frozen=True, slots=True)
class CallWhy:
    """What holds one call that is not final."""

    call_id: int
    campaign: str
    state: str
    due_at: datetime | None
    gate: GateAnswer | None


@dataclass(frozen=True, slots=True)
class NumberWhy:
    """What holds a number: the attempt it is live with, its waiting calls, how others ended, the last refusal."""

    live: dict[str, Any] | None
    calls: tuple[CallWhy, ...]
    final: tuple[dict[str, Any], ...]
    last_refusal: dict[str, Any] | None
    answer: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        answer: dict[str, Any] = plain(asdict(self))
        return answer


class Why:
    """Asks the tables and the gate."""

    def __init__(self, engine: Engine, gatekeeper: GateKeeper) -> None:
        self._engine = engine
        self._gatekeeper = gatekeeper
        self._gate = DryGate(gatekeeper)

    def is_campaign(self, name: str) -> bool:
        """Whether there is a campaign of that name."""
        with self._engine.begin() as connection:
            return rows.campaign_exists(connection, name)

    def campaign(self, name: str) -> CampaignWhy:
        """What holds it. Raises `UnknownCampaignError`."""
        with snapshot(self._engine) as connection:
            found = campaign_rows(connection, name=name)
            if not found:
                raise UnknownCampaignError(name, known=campaign_names(connection))
            campaign, runs = found[0], run_rows(connection, found[0].id)
            holds = tuple(self._holds(connection, campaign, runs))
            groups = tuple(self._groups(connection, campaign.id))
            in_flight = _in_flight(connection, campaign)
        return CampaignWhy(
            campaign=name,
            campaign_at=campaign.campaign_at,
            holds=holds,
            groups=groups,
            in_flight=in_flight,
            answer=_campaign_answer(campaign, holds, groups, in_flight),
        )

    def number(self, number: str) -> NumberWhy:
        """What holds an E.164 number."""
        with snapshot(self._engine) as connection:
            live = number_rows.live_with(connection, number)
            calls = tuple(self._call(connection, row) for row in number_rows.open_calls(connection, number))
            final = tuple(number_rows.final_calls(connection, number))
            refusal = number_rows.last_refusal(connection, number)
        if refusal is not None:
            refusal["citation"] = citation_of(self._gatekeeper.rules, refusal["rule_id"])
        return NumberWhy(live, calls, final, refusal, _number_answer(live, calls, final))

    def _holds(self, connection: Connection, campaign: CampaignRow, runs: list[RunRow]) -> Iterator[Hold]:
        yield from switches(campaign)
        facts = campaign_facts(connection, campaign.id)
        if facts is not None and not self._gatekeeper.holds_active_law(facts):
            what = "the rules in force in the database are not those of this version; workers of this version refuse"
            yield Hold(what, do="run `ringfence migrate` with the version that the workers run")
        yield from runs_open(campaign, runs)
        yield from room(connection, campaign)

    def _groups(self, connection: Connection, campaign_id: int) -> Iterator[WaitingGroup]:
        following = rows.next_calls(connection, campaign_id, most=GROUPS_SHOWN)
        asked = self._gate.decide(connection, [each.call_id for each in following], campaign_id=campaign_id)
        answers = {each.call_id: self._answer(each) for each in asked}
        for each in following:
            yield WaitingGroup(each.group, each.waiting, each.due_at, answers.get(each.call_id))

    def _call(self, connection: Connection, row: dict[str, Any]) -> CallWhy:
        asked = self._gate.decide(connection, [row["call_id"]], campaign_id=row["campaign_id"])
        gate = self._answer(asked[0]) if asked and row["state"] == "scheduled" else None
        return CallWhy(row["call_id"], row["campaign"], row["state"], row["due_at"], gate)

    def _answer(self, asked: DryDecision) -> GateAnswer:
        decision = asked.decision
        if isinstance(decision, Permit):
            return GateAnswer("permit", None, "every rule passes now", None, None)
        detail = next(check.detail for check in decision.checks if check.rule_id == decision.rule_id)
        citation = citation_of(self._gatekeeper.rules, decision.rule_id)
        return GateAnswer("refusal", decision.rule_id, detail, decision.next_allowed_at, citation)


def _in_flight(connection: Connection, campaign: CampaignRow) -> int:
    limit_group = rows.limit_group_of(connection, campaign.account)
    rooms = feed_rows.campaign_rooms(connection, limit_group)
    return next((own.live + own.queued for own in rooms if own.id == campaign.id), 0)


def _campaign_answer(
    campaign: CampaignRow, holds: tuple[Hold, ...], groups: tuple[WaitingGroup, ...], in_flight: int
) -> str:
    if holds:
        until = f" until {holds[0].until.isoformat()}" if holds[0].until else ""
        return f"held: {holds[0].what}{until}"
    if not groups:
        return f"{in_flight} calls are under way, none waits" if in_flight else "nothing waits: every call is final"
    permitted = [group for group in groups if group.gate is not None and group.gate.verdict == "permit"]
    if any(group.due_at <= campaign.campaign_at for group in permitted):
        return "not held: calls are due and the gate would permit them"
    soonest = min(_comes_at(group) for group in groups)
    return f"waiting: the next call comes at {soonest.isoformat()}"


def _comes_at(group: WaitingGroup) -> datetime:
    later = group.gate.next_allowed_at if group.gate else None
    return max(group.due_at, later) if later else group.due_at


def _number_answer(live: dict[str, Any] | None, calls: tuple[CallWhy, ...], final: tuple[dict[str, Any], ...]) -> str:
    if live is not None:
        return f"on a call of {live['campaign']} now, or held for its report until {live['hold_until'].isoformat()}"
    if not calls:
        newest = final[0] if final else None
        return f"nothing waits: {newest['state']}, {newest['reason']}" if newest else "no call to this number is known"
    first = min(calls, key=lambda call: (call.due_at is None, call.due_at or datetime.max.replace(tzinfo=UTC)))
    gate = first.gate
    if gate is None:
        return f"its call for {first.campaign} is {first.state}"
    if gate.verdict == "refusal":
        until = f" until {gate.next_allowed_at.isoformat()}" if gate.next_allowed_at else ", which time does not cure"
        return f"held for {first.campaign} by {gate.rule_id}: {gate.detail}{until}"
    return (
        f"due for {first.campaign} at {first.due_at.isoformat() if first.due_at else 'once'}; the gate permits it now"
    )
