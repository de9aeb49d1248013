"""How single calls stand, each in a word and a sentence: what `calls create` shows while it waits, and at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine

from campaigns.calls.states import AttemptState, CallState
from campaigns.compliance.decision import Refusal
from campaigns.services.dry_gate import DryGate
from campaigns.services.feed import STARVED_AFTER
from campaigns.services.gatekeeper import GateKeeper
from campaigns.services.status import campaign_status
from campaigns.store import feed as feed_rows
from campaigns.store import single_calls as rows

NO_WORKER = "no worker takes calls: start one with `ringfence up`"


class Standing(StrEnum):
    """Where a call stands for the person who asked for it."""

    WAITING = "waiting"
    LIVE = "live"
    HANDED_OVER = "handed_over"
    """The provider holds it until its time."""
    ANSWERED = "answered"
    NOT_REACHED = "not_reached"
    REFUSED = "refused"
    """The gate said no; nothing was sent."""
    NOT_DIALED = "not_dialed"
    UNKNOWN = "unknown"
    """It may have been dialed."""
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class CallStory:
    """One row of the list. `settled`: nothing more will happen that the caller need wait for."""

    row: int
    standing: Standing
    sentence: str
    settled: bool
    call_id: int | None = None
    attempt_id: str | None = None
    provider_call_id: str | None = None
    rule_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, without what is not there."""
        told = {
            "row": self.row,
            "standing": self.standing.value,
            "sentence": self.sentence,
            "call": self.call_id,
            "attempt": self.attempt_id,
            "provider_call_id": self.provider_call_id,
            "rule": self.rule_id,
        }
        return {key: value for key, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Look:
    """All of them at one moment. `held_by`: why none moves, if something is known; `unattended`: no worker is there."""

    stories: Sequence[CallStory]
    held_by: str | None
    unattended: bool
    cancelled: bool = False
    """Somebody withdrew them; with no story yet, none will be dialed."""

    @property
    def settled(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return all(story.settled for story in self.stories) if self.stories else self.cancelled


class CallStories:
    """Looks at the calls of single-call campaigns."""

    def __init__(self, engine: Engine, gatekeeper: GateKeeper) -> None:
        self._engine = engine
        self._gate = DryGate(gatekeeper)

    def look(self, name: str) -> Look:
        """How the calls of this campaign stand."""
        with self._engine.begin() as connection:
            run = rows.run_of(connection, name)
            if run is None:
                raise LookupError("a single call is submitted with its run")
            expanding = run.state == "expanding"
            stories = [] if expanding else self._stories(connection, run)
            unattended = _unattended(connection, run)
        status = campaign_status(self._engine, name)
        held_by = run.state_reason or status.held_by or (NO_WORKER if unattended else None)
        return Look(stories, held_by, unattended, cancelled=status.state == "cancelled")

    def _stories(self, connection: Connection, run: rows.RunRow) -> list[CallStory]:
        calls = [self._story(connection, run, call) for call in rows.calls_of(connection, run.campaign_id)]
        rejects = [
            CallStory(each.row_number, Standing.NOT_DIALED, f"rejected: {each.detail}", settled=True)
            for each in rows.rejects_of(connection, run.campaign_id)
        ]
        return sorted([*calls, *rejects], key=lambda story: story.row)

    def _story(self, connection: Connection, run: rows.RunRow, call: rows.CallRow) -> CallStory:
        standing, sentence = _told(call)
        rule_id = call.rule_id if standing is Standing.REFUSED else None
        if standing is Standing.REFUSED and rule_id is None:
            rule_id, sentence = self._refused_unasked(connection, run, call)
        return CallStory(
            row=call.row_number,
            standing=standing,
            sentence=sentence,
            settled=_is_settled(standing, call),
            call_id=call.call_id,
            attempt_id=str(call.attempt_id) if call.attempt_id else None,
            provider_call_id=call.provider_call_id,
            rule_id=rule_id,
        )

    def _refused_unasked(self, connection: Connection, run: rows.RunRow, call: rows.CallRow) -> tuple[str | None, str]:
        """Ended before the gate was asked on record: no legal hour in the window, or a revocation. It says why."""
        asked = self._gate.decide(connection, [call.call_id], campaign_id=run.campaign_id, at=run.provider_from)
        decision = asked[0].decision if asked else None
        if isinstance(decision, Refusal):
            detail = next(check.detail for check in decision.checks if check.rule_id == decision.rule_id)
            return decision.rule_id, f"{decision.rule_id}: {detail}"
        return call.reason, f"refused: {call.reason}"


def _told(call: rows.CallRow) -> tuple[Standing, str]:
    match call.state:
        case CallState.SCHEDULED | CallState.QUEUED:
            why = f", {call.rule_id}: {call.rule_detail}" if call.rule_id else ""
            return Standing.WAITING, f"waits for its turn{why}"
        case CallState.DIALING | CallState.IN_PROGRESS:
            return _under_way(call)
        case CallState.FATE_UNKNOWN:
            return Standing.UNKNOWN, f"nobody knows yet whether it was dialed: {call.detail}"
        case CallState.COMPLETED:
            lasted = f", {call.duration.total_seconds():.0f} s" if call.duration else ""
            return Standing.ANSWERED, f"answered{lasted}"
        case CallState.CANCELLED:
            return Standing.WITHDRAWN, f"withdrawn: {call.reason}"
        case CallState.BLOCKED | CallState.EXPIRED:
            return _stopped(call)
        case _:
            return _without_success(call)


def _under_way(call: rows.CallRow) -> tuple[Standing, str]:
    if call.attempt_state is AttemptState.IN_PROGRESS and call.due_from and call.due_until and not call.connected:
        span = (
            f"from {call.due_from.isoformat(timespec='seconds')} until {call.due_until.isoformat(timespec='seconds')}"
        )
        return Standing.HANDED_OVER, f"the provider dials it by itself {span}"
    return Standing.LIVE, "connected" if call.connected else "dialing" if not call.provider_call_id else "under way"


def _stopped(call: rows.CallRow) -> tuple[Standing, str]:
    if call.rule_id:
        return Standing.REFUSED, f"{call.rule_id}: {call.rule_detail}"
    if call.state is CallState.EXPIRED and call.reason == "latest_at":
        return Standing.NOT_DIALED, "its time was over before it could be dialed"
    if call.attempt_state is AttemptState.NOT_DIALED:
        return Standing.NOT_DIALED, f"not dialed: {call.detail}; its time was over before it could be tried again"
    return Standing.REFUSED, f"refused: {call.reason}"


def _without_success(call: rows.CallRow) -> tuple[Standing, str]:
    if call.attempt_state in (None, AttemptState.NOT_DIALED):
        return Standing.NOT_DIALED, f"not dialed: {call.detail or _REASONS.get(call.reason or '', call.reason)}"
    if call.reason == "fate_unknown":
        return Standing.UNKNOWN, "nobody found out whether it was dialed; look at it with `ringfence attention`"
    return Standing.NOT_REACHED, f"not reached: {call.outcome or call.reason}"


_REASONS = {"number_busy": "the person is, or may be, on another call of ours by then"}


def _is_settled(standing: Standing, call: rows.CallRow) -> bool:
    """A fate that is unknown is looked for. Of a held call it is told at once: finding it may take until its time."""
    if standing is Standing.UNKNOWN:
        return call.due_from is not None or bool(call.needs_person) or call.state is CallState.FAILED
    return standing not in (Standing.WAITING, Standing.LIVE)


def _unattended(connection: Connection, run: rows.RunRow) -> bool:
    """Whether nobody reads its list, or nobody takes the calls that were released."""
    if run.state == "expanding":
        return run.age >= STARVED_AFTER
    account = feed_rows.account_room(connection, run.limit_group, starved_after=STARVED_AFTER)
    return account is not None and account.starved
