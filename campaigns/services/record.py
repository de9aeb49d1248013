"""Record: facts about attempts become states, outcomes and the call's next step, in one transaction.

    lock calls by id → fold the facts into each attempt → next step by the retry ladder → write → commit

Two processors of the same report make one retry: the second finds the attempt closed. A call that the provider reports
although it had said "not dialed" is taken back from the queue: better a call too few than a person rung twice.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine

from campaigns.calls.conversation import joined
from campaigns.calls.ladder import MAX_REQUESTS, End, Retry, end_state, next_step
from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.permits import REPORT_GRACE
from campaigns.calls.states import FINAL_ATTEMPT_STATES, FINAL_CALL_STATES, AttemptState, CallState
from campaigns.compliance.facts import PlaceEvidence
from campaigns.definition.model import CampaignDefinition
from campaigns.providers.contract import NO_ARTIFACTS, Artifacts, CallReport, DialResult, Trouble
from campaigns.services.account_notes import CallEnd, is_news, note_accounts, note_ends
from campaigns.services.adoption import (
    WAITING,
    adopted,
    adoption,
    is_conclusive,
    is_found_too_late,
    newest,
    was_made_after_all,
)
from campaigns.services.artifacts import joined_artifacts, keep_said
from campaigns.services.asking_back import ask_back_found
from campaigns.services.attempt_rows import change_of, view_of
from campaigns.services.decided import Decided, settle_decision
from campaigns.services.gatekeeper import GateKeeper
from campaigns.services.opt_out import record_opt_outs, spoken_opt_outs
from campaigns.services.plans import Definitions, plan_of, retry_rules
from campaigns.services.settle import AttemptView, Settled, close_unknown, settle_dial, settle_report
from campaigns.services.surroundings import Surroundings
from campaigns.store import facts as rows
from campaigns.store.callers import stop_after_this
from campaigns.store.moves import Move, apply_moves
from campaigns.store.revocations import NewRevocation

log = logging.getLogger(__name__)

NOT_HANDED_OVER = End(CallState.FAILED, reason="not_handed_over")
_TOO_MANY = End(CallState.FAILED, reason="too_many_requests")
_ALIVE = frozenset({AttemptState.IN_PROGRESS, AttemptState.ENDED})
"""States in which an attempt holds its number."""
_GIVEN_BACK = frozenset({AttemptState.FATE_UNKNOWN, AttemptState.NOT_DIALED, AttemptState.CLOSED})
"""States in which slot and number may have been given back."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing learned about one attempt."""

    attempt_id: UUID
    what: DialResult | CallReport | Decided
    requested_at: datetime | None = None
    """When our request left, by the database's clock; only with a dial's own answer."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a batch changed."""

    freed: frozenset[str] = frozenset()
    """Limit groups in which a slot came free."""
    answers: Mapping[UUID, DialResult] = field(default_factory=dict)
    """The provider's answers by attempt id, if any is news of its account: for `note_accounts`, once committed."""
    ends: Mapping[UUID, CallEnd] = field(default_factory=dict)
    """The same of how attempts ended that were open until now: for `note_ends`."""


@dataclass(slots=True)
class _Pile:
    changes: list[rows.AttemptChange] = field(default_factory=list)
    adoptions: list[Move] = field(default_factory=list)
    """Carried out before `moves`, which may take the same calls further."""
    moves: list[Move] = field(default_factory=list)
    revived: list[UUID] = field(default_factory=list)
    """Alive after all, perhaps after slot and number were given back."""
    behind: set[UUID] = field(default_factory=set)
    """Alive beside an attempt of the same call that held the number until now."""
    ended: list[UUID] = field(default_factory=list)
    freed: set[str] = field(default_factory=set)
    stops: list[tuple[int, str]] = field(default_factory=list)
    """Calls that make no attempt after the one that is under way, each with its reason."""
    opt_outs: list[NewRevocation] = field(default_factory=list)
    said: dict[UUID, Artifacts] = field(default_factory=dict)
    ends: dict[UUID, CallEnd] = field(default_factory=dict)

    def add(self, attempt: rows.AttemptRow, change: rows.AttemptChange, *, limit_group: str) -> None:
        """A change, with what it means for slot and number."""
        self.changes.append(change)
        if change.state in _ALIVE and attempt.state in _GIVEN_BACK:
            self.revived.append(attempt.id)
        if change.state is AttemptState.ENDED and attempt.state is not AttemptState.ENDED:
            self.ended.append(attempt.id)
        if change.state in FINAL_ATTEMPT_STATES | {AttemptState.ENDED}:
            self.freed.add(limit_group)


class Recorder:
    """Applies facts on a connection, or in a transaction of its own."""

    def __init__(
        self,
        engine: Engine,
        gatekeeper: GateKeeper,
        definitions: Definitions,
        *,
        keep_conversations: timedelta = timedelta(0),
    ) -> None:
        """`keep_conversations`: how long what was said is kept on an attempt; zero: never."""
        self._engine = engine
        self._keep_conversations = keep_conversations
        self._gatekeeper = gatekeeper
        self._definitions = definitions

    def run(self, facts: Sequence[Fact]) -> Recorded:
        """Record in one transaction, then note what the answers say of the accounts."""
        with self._engine.begin() as connection:
            recorded = self.apply(connection, facts)
        note_accounts(self._engine, recorded.answers)
        note_ends(self._engine, recorded.ends)
        return recorded

    def apply(self, connection: Connection, facts: Sequence[Fact]) -> Recorded:
        """Record inside the caller's transaction."""
        if not facts:
            return Recorded()
        told = defaultdict[UUID, list[Fact]](list)
        for fact in facts:
            told[fact.attempt_id].append(fact)
        calls = rows.lock_calls_of(connection, list(told))
        attempts = rows.attempts_of(connection, list(calls))
        world = Surroundings(connection, self._definitions, calls)
        pile = _Pile()
        for attempt in attempts:
            if attempt.id in told:
                self._fold(connection, attempt, told[attempt.id], attempts, world=world, pile=pile)
        self._write(connection, pile)
        answers = {fact.attempt_id: fact.what for fact in facts if isinstance(fact.what, DialResult)}
        if not _is_any_news(attempts, answers, pile.ends, world=world):
            return Recorded(frozenset(pile.freed))
        return Recorded(frozenset(pile.freed), answers, pile.ends)

    def _write(self, connection: Connection, pile: _Pile) -> None:
        rows.write_attempt_changes(connection, pile.changes)
        for attempt_id in rows.hold_again(connection, sorted(pile.revived)):
            _alarm(connection, "two_calls_live", attempt_id, detail="its number is held by another call")
        rows.hold_again(connection, sorted(pile.behind))
        ask_back_found(connection, pile.revived)
        rows.free_slots(connection, pile.ended, grace=REPORT_GRACE)
        apply_moves(connection, pile.adoptions)
        apply_moves(connection, pile.moves)
        for call_id, reason in pile.stops:
            stop_after_this(connection, [call_id], reason=reason)
        record_opt_outs(connection, pile.opt_outs)
        if self._keep_conversations:
            keep_said(connection, pile.said, keep=self._keep_conversations)

    def _fold(
        self,
        connection: Connection,
        attempt: rows.AttemptRow,
        facts: Sequence[Fact],
        attempts: Sequence[rows.AttemptRow],
        *,
        world: Surroundings,
        pile: _Pile,
    ) -> None:
        call = world.calls[attempt.call_id]
        view, over = _folded(connection, attempt, facts)
        pile.said[attempt.id] = _said(view, facts)
        talk = joined(fact.what.conversation for fact in facts if isinstance(fact.what, CallReport))
        if not talk.is_empty:
            # Whatever became of the attempt, and however late it is told: what the person said counts.
            view = replace(view, disposition=talk.disposition or view.disposition)
            pile.opt_outs += spoken_opt_outs(world.definition(call), talk, number=call.number, attempt_id=attempt.id)
        requested_at = max((fact.requested_at for fact in facts if fact.requested_at), default=None)
        if view == view_of(attempt) and requested_at is None:
            return
        campaign = world.campaign(call.campaign_id)
        change = change_of(attempt, view, over, requested_at, campaign=campaign)
        if is_found_too_late(call, attempt, view) and not any(isinstance(fact.what, Decided) for fact in facts):
            _alarm(connection, "found_after_latest_at", attempt.id, detail=f"its call is {call.state} for good")
        pile.add(attempt, change, limit_group=campaign.limit_group)
        if change.state in FINAL_ATTEMPT_STATES:
            pile.behind |= {each.id for each in attempts if each.call_id == call.id and each.state in _ALIVE}
        if view.outcome is not None and view.state is AttemptState.CLOSED and view.state is not attempt.state:
            pile.ends[attempt.id] = CallEnd(view.outcome, _trouble(facts), view.ended_reason)
        leads, conclusive = newest(attempts, call.id) == attempt.id, is_conclusive(over)
        if call.state in WAITING and ((leads and was_made_after_all(view_of(attempt), view)) or conclusive):
            pile.adoptions.append(adoption(call, attempt))
            call, leads = adopted(call, pile.adoptions[-1]), True
        if not leads:
            pile.stops += [(call.id, f"earlier_attempt:{view.outcome}")] if conclusive else []
        elif (move := self._move(call, view, over, attempts, world=world)) is not None:
            pile.moves.append(move)

    def _move(
        self,
        call: rows.LockedCall,
        view: AttemptView,
        over: Settled | None,
        attempts: Sequence[rows.AttemptRow],
        *,
        world: Surroundings,
    ) -> Move | None:
        if call.state in FINAL_CALL_STATES:
            return None
        stop = _stop_reason(world.definition(call), view.disposition)
        if over is not None and over.verdict is not None:
            return self._after(call, over, over.verdict, attempts, world=world, stop=stop or over.reason)
        if stop is not None and call.state in WAITING:
            return Move(call.id, call.state, CallState.CANCELLED, call.epoch, reason=stop)
        wanted = {
            AttemptState.IN_PROGRESS: CallState.IN_PROGRESS,
            AttemptState.ENDED: CallState.IN_PROGRESS,
            AttemptState.FATE_UNKNOWN: CallState.FATE_UNKNOWN,
        }.get(view.state)
        if wanted is None or wanted is call.state:
            return None
        return Move(call.id, call.state, wanted, call.epoch)

    def _after(
        self,
        call: rows.LockedCall,
        over: Settled,
        verdict: Verdict,
        attempts: Sequence[rows.AttemptRow],
        *,
        world: Surroundings,
        stop: str | None,
    ) -> Move:
        requests = -1 if over.contended else 0
        counted = 0 if verdict.counts else -1
        step: Retry | End
        if over.contended:
            step = Retry(over.wait or timedelta(0), machine_time=True)
        else:
            step = next_step(
                verdict,
                attempts=call.attempts + counted,
                requests=call.requests,
                earlier_same=_earlier_same(attempts, call.id, over.attempt.id, verdict.outcome),
                rules=retry_rules(world.definition(call)),
            )
            if isinstance(step, Retry) and over.wait is not None and not verdict.counts:
                step = replace(step, wait=max(step.wait, over.wait), machine_time=True)
        if stop is not None:
            step = End(end_state(verdict.outcome), reason=stop)
        return self.next_move(call, step, world=world, attempts=counted, requests=requests)

    def next_move(
        self, call: rows.LockedCall, step: Retry | End, *, world: Surroundings, attempts: int = 0, requests: int = 0
    ) -> Move:
        """The move that carries out a ladder's step, as far as campaign, window and law allow."""
        if isinstance(step, Retry) and call.stop_reason is not None:
            step = End(CallState.CANCELLED, reason=call.stop_reason)
        if isinstance(step, Retry) and world.run(call).provider_from is not None:
            step = NOT_HANDED_OVER  # its caller was told so; a second try behind their back could make two calls of one
        if isinstance(step, Retry):
            campaign = world.campaign(call.campaign_id)
            if campaign.state == "cancelled":
                step = End(CallState.CANCELLED, reason="campaign_cancelled")
            else:
                wait = step.wait * campaign.clock_speed if step.machine_time else step.wait
                opening = self._gatekeeper.opening(
                    call.number,
                    PlaceEvidence(state=call.address_state, zip=call.zip, timezone=call.timezone),
                    plan_of(world.definition(call), campaign=campaign, run=world.run(call)),
                    after=campaign.campaign_at + wait,
                )
                if opening is not None:
                    return Move(
                        call.id,
                        call.state,
                        CallState.SCHEDULED,
                        call.epoch,
                        due_at=opening.opens_at,
                        closes_at=opening.closes_at,
                        attempts=attempts,
                        requests=requests,
                    )
                step = End(CallState.EXPIRED, reason="no_opening_before_latest_at")
        return Move(
            call.id, call.state, step.state, call.epoch, reason=step.reason, attempts=attempts, requests=requests
        )

    def redial(self, connection: Connection, attempt_id: UUID) -> bool:
        """Close an attempt that two complete listings do not hold, and let its call make a new one.

        Only where the campaign says `ambiguous: redial`, and only while the fate is still unknown; returns whether
        it was done. The old attempt goes on counting for caps: the person may have been rung after all.
        """
        calls = rows.lock_calls_of(connection, [attempt_id])
        attempts = rows.attempts_of(connection, list(calls))
        attempt = next((each for each in attempts if each.id == attempt_id), None)
        if attempt is None or attempt.state is not AttemptState.FATE_UNKNOWN:
            return False
        world = Surroundings(connection, self._definitions, calls)
        call = calls[attempt.call_id]
        if call.state is CallState.FATE_UNKNOWN and world.definition(call).retries.ambiguous != "redial":
            return False
        closed = close_unknown(view_of(attempt), detail="absent from two complete listings of the provider")
        campaign = world.campaign(call.campaign_id)
        change = change_of(attempt, closed, None, None, campaign=campaign)
        rows.write_attempt_changes(connection, [change])
        rows.free_live(connection, [attempt_id])
        if call.state is CallState.FATE_UNKNOWN:
            # The try does not spend one of `maxAttempts`: the provider shows no trace of it.
            step = Retry(timedelta(0)) if call.requests < MAX_REQUESTS else _TOO_MANY
            apply_moves(connection, [self.next_move(call, step, world=world, attempts=-1)])
        return True


def _is_any_news(
    attempts: Sequence[rows.AttemptRow],
    answers: Mapping[UUID, DialResult],
    ends: Mapping[UUID, CallEnd],
    *,
    world: Surroundings,
) -> bool:
    """One is enough to note all of them: a refusal is in a row only with what came beside it."""
    return any(
        is_news(told, world.campaign(world.calls[attempt.call_id].campaign_id))
        for attempt in attempts
        for told in (answers.get(attempt.id), ends.get(attempt.id))
        if told is not None
    )


def _folded(
    connection: Connection, attempt: rows.AttemptRow, facts: Sequence[Fact]
) -> tuple[AttemptView, Settled | None]:
    """The attempt after all facts, and the one that ended it, if any did."""
    view, over = view_of(attempt), None
    for fact in sorted(facts, key=_rank):
        settled = _settle(view, fact)
        view = settled.attempt
        if settled.verdict is not None:
            over = settled
        elif view.state not in FINAL_ATTEMPT_STATES:
            over = None  # a "not dialed" that the next fact refuted
        if settled.alarm is not None:
            _alarm(connection, settled.alarm, attempt.id, detail=type(fact.what).__name__)
    return view, over


def _alarm(connection: Connection, kind: str, attempt_id: UUID, *, detail: str) -> None:
    log.error("alarm kind=%s attempt_id=%s", kind, attempt_id)
    rows.raise_alarm(connection, kind=kind, attempt_id=attempt_id, detail=detail)


def _settle(view: AttemptView, fact: Fact) -> Settled:
    if isinstance(fact.what, CallReport):
        return settle_report(view, fact.what)
    if isinstance(fact.what, Decided):
        return settle_decision(view, fact.what)
    return settle_dial(view, fact.what)


def _said(view: AttemptView, facts: Sequence[Fact]) -> Artifacts:
    """What was said in the attempt's own call, the news over what came before."""
    said = NO_ARTIFACTS
    for fact in sorted(facts, key=_rank):
        if isinstance(fact.what, CallReport) and fact.what.provider_call_id == view.provider_call_id:
            said = joined_artifacts(said, fact.what.artifacts)
    return said


def _trouble(facts: Sequence[Fact]) -> Trouble | None:
    told = (fact.what.trouble for fact in facts if isinstance(fact.what, CallReport))
    return next((trouble for trouble in told if trouble is not None), None)


def _rank(fact: Fact) -> int:
    """Within a batch: our own answer first, then reports by how far the call had come."""
    return fact.what.phase.rank if isinstance(fact.what, CallReport) else -1


def _earlier_same(attempts: Sequence[rows.AttemptRow], call_id: int, this: UUID, outcome: Outcome) -> int:
    return sum(attempt.outcome is outcome for attempt in attempts if attempt.call_id == call_id and attempt.id != this)


def _stop_reason(definition: CampaignDefinition, disposition: str | None) -> str | None:
    """Why a customer with this disposition is not called again, by the campaign's `stopWhen`; None: nothing says so."""
    stop_when = definition.stop_when
    return f"disposition:{disposition}" if stop_when is not None and stop_when.ends_with(disposition) else None
