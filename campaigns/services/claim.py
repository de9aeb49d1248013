"""Claim: one transaction that locks, reads the facts fresh, asks the gate, and commits the attempts.

    lock calls by id → take numbers in `live` → lock people → read facts → gate → permits, refusals, attempts → commit

Only what this transaction committed may be dialed, by this process, within the permit's second.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine

from campaigns.calls.permits import FLUSH_MARGIN, HTTP_TIMEOUT, usable_for
from campaigns.calls.states import CallState
from campaigns.compliance.decision import Decision, Permit, Refusal
from campaigns.compliance.facts import Facts
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.templates import TemplateError
from campaigns.providers.scheduling import ProviderSpan
from campaigns.services.evidence import facts_of, read_evidence
from campaigns.services.gatekeeper import GateKeeper
from campaigns.services.machine_clock import MachinePermit, Monotonic, monotonic
from campaigns.services.on_record import new_decision
from campaigns.services.plans import Definitions, assistant_for, plan_of
from campaigns.services.ports import CallRef
from campaigns.services.repeats import without_repeats
from campaigns.services.spans import as_known, over_span
from campaigns.store import claims as rows
from campaigns.store.moves import Move, apply_moves

log = logging.getLogger(__name__)

NUMBER_BUSY_WAIT = timedelta(seconds=30)
"""Machine time until a person who is on another call of ours is considered again."""
NUMBER_BUSY = "number_busy"
"""Why a call is not handed over to its provider: the person is, or may be, on another call of ours by then."""
STALE_LAW_WAIT = timedelta(seconds=10)
"""Machine time until calls come back that this worker may not judge, because it holds other rules."""


@dataclass(frozen=True, slots=True)
class ClaimedCall:
    """One committed attempt with its permit, ready to leave."""

    attempt_id: UUID
    call: rows.QueuedCall
    assistant: Mapping[str, Any]
    permit: MachinePermit
    due_until: datetime | None = None
    """Set: the provider holds the call, and may dial it until then."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim brought: attempts to dial, and how the other calls of the group went."""

    campaign: rows.CampaignFacts
    started_at: float
    """This process's monotonic clock just before the claim; `campaign.read_at` is the database's soon after."""
    definitions: Mapping[int, CampaignDefinition]
    """By run."""
    calls: tuple[ClaimedCall, ...] = ()
    refused: int = 0
    returned: int = 0
    """Calls that went back to wait without a decision: number busy elsewhere, or a worker with other rules."""


@dataclass(slots=True)
class _Pile:
    """What the transaction is going to write."""

    moves: list[Move] = field(default_factory=list)
    decisions: list[rows.NewDecision] = field(default_factory=list)
    attempts: list[rows.NewAttempt] = field(default_factory=list)
    assistants: dict[UUID, Mapping[str, Any]] = field(default_factory=dict)
    returned_numbers: list[UUID] = field(default_factory=list)
    refused: int = 0
    returned: int = 0


class Claim:
    """Turn released calls into committed attempts."""

    def __init__(
        self, engine: Engine, gatekeeper: GateKeeper, definitions: Definitions, *, clock: Monotonic = monotonic
    ) -> None:
        self._engine = engine
        self._gatekeeper = gatekeeper
        self._definitions = definitions
        self._clock = clock

    def run(
        self, refs: Sequence[CallRef], *, campaign_id: int, task_id: str, span: ProviderSpan | None = None
    ) -> Claimed | None:
        """Claim these calls; None when the campaign does not exist. Deadlocks and lock time-outs are raised.

        `span`: they are claimed for their provider, which dials by itself in that span; a permit must cover all of it.
        Calls of other runs than such a claim is for go back untouched.
        """
        started_at = self._clock()
        with self._engine.begin() as connection:
            rows.bound_claim(connection)
            calls = rows.lock_queued(connection, {ref.call_id: ref.epoch for ref in refs}, campaign_id=campaign_id)
            attempt_ids = {call.id: uuid4() for call in calls}
            taken = rows.take_numbers(connection, calls, attempt_ids, campaign_id=campaign_id) if calls else set()
            rows.lock_people(connection, [call.person for call in calls if call.person and call.id in taken])
            campaign = rows.campaign_facts(connection, campaign_id)
            if campaign is None:
                return None
            pile = _Pile()
            definitions = self._judge(
                connection, calls, attempt_ids, taken, campaign=campaign, pile=pile, task_id=task_id, span=span
            )
            self._write(connection, pile, campaign=campaign, judged_at=span.due_from if span else None)
        return Claimed(
            campaign=campaign,
            started_at=started_at,
            definitions=definitions,
            calls=tuple(
                ClaimedCall(
                    attempt.id,
                    attempt.call,
                    pile.assistants[attempt.id],
                    MachinePermit(started_at + attempt.usable_for.total_seconds(), self._clock),
                    attempt.due_until,
                )
                for attempt in pile.attempts
            ),
            refused=pile.refused,
            returned=pile.returned,
        )

    def give_back(self, refs: Sequence[CallRef], *, campaign_id: int, wait: timedelta, why: str) -> None:
        """Let calls that are still queued wait, `wait` of machine time, without a decision and without an attempt."""
        with self._engine.begin() as connection:
            calls = rows.lock_queued(connection, {ref.call_id: ref.epoch for ref in refs}, campaign_id=campaign_id)
            campaign = rows.campaign_facts(connection, campaign_id)
            if campaign is None:
                return
            runs, pile = rows.run_facts(connection, [call.run_id for call in calls]), _Pile()
            for call in calls:
                self._send_back(call, wait=wait, campaign=campaign, run=runs[call.run_id], pile=pile)
            apply_moves(connection, pile.moves)
        log.info("calls_given_back campaign_id=%s calls=%d why=%s", campaign_id, len(calls), why)

    def _judge(
        self,
        connection: Connection,
        calls: Sequence[rows.QueuedCall],
        attempt_ids: Mapping[int, UUID],
        taken: set[int],
        *,
        campaign: rows.CampaignFacts,
        pile: _Pile,
        task_id: str,
        span: ProviderSpan | None,
    ) -> dict[int, CampaignDefinition]:
        runs = rows.run_facts(connection, [call.run_id for call in calls])
        if not self._gatekeeper.holds_active_law(campaign):
            log.error("claim_refused_other_rules campaign_id=%s", campaign.campaign_id)
            for call in calls:
                self._send_back(call, wait=STALE_LAW_WAIT, campaign=campaign, run=runs[call.run_id], pile=pile)
            pile.returned_numbers += [attempt_ids[call_id] for call_id in taken]
            return {}
        asked_at = span.due_until if span else campaign.campaign_at
        evidence = read_evidence(connection, calls, campaign_at=asked_at, files=self._gatekeeper.registry)
        definitions = {run.id: self._definitions.get(connection, run.version_id) for run in runs.values()}
        plans = {run.id: plan_of(definitions[run.id], campaign=campaign, run=run) for run in runs.values()}
        rung: set[str] = set()
        for call in calls:
            run = runs[call.run_id]
            if (run.provider_from is None) != (span is None):
                # A message that strayed: this call is its provider's to dial, or the reverse. Never from here.
                self._send_back(call, wait=NUMBER_BUSY_WAIT, campaign=campaign, run=run, pile=pile)
                pile.returned_numbers += [attempt_ids[call.id]] if call.id in taken else []
                continue
            if call.id not in taken or call.person in rung:
                # The phone is busy with another call of ours, or this group rings another phone of the same person,
                # an attempt that the facts read above do not hold yet.
                self._put_off(call, campaign=campaign, run=run, pile=pile, for_good=span is not None)
                pile.returned_numbers += [attempt_ids[call.id]] if call.id in taken else []
                continue
            definition = definitions[run.id]
            facts = facts_of(call, plans[run.id], evidence, locate=self._gatekeeper.located)
            held = span
            if span is None:
                decision = self._gatekeeper.decide_call(facts, now=campaign.campaign_at)
            else:
                known = as_known(facts, at=campaign.campaign_at)
                decision, held = over_span(partial(_decide, self._gatekeeper, known), span)
            attempt_id = attempt_ids[call.id]
            if isinstance(decision, Permit):
                self._permit(
                    call,
                    decision,
                    facts,
                    attempt_id,
                    definition,
                    campaign=campaign,
                    pile=pile,
                    task_id=task_id,
                    held=held,
                )
                rung |= {call.person} if call.person else set()
            else:
                self._refuse(call, decision, facts, campaign=campaign, pile=pile, for_good=span is not None)
                pile.returned_numbers.append(attempt_id)
        return definitions

    def _permit(
        self,
        call: rows.QueuedCall,
        permit: Permit,
        facts: Facts,
        attempt_id: UUID,
        definition: CampaignDefinition,
        *,
        campaign: rows.CampaignFacts,
        pile: _Pile,
        task_id: str,
        held: ProviderSpan | None,
    ) -> None:
        try:
            pile.assistants[attempt_id] = assistant_for(definition, call)
        except TemplateError:
            # A wrong sentence spoken to a person is worse than no call; the file's author must mend the variable.
            pile.moves.append(Move(call.id, CallState.QUEUED, CallState.FAILED, call.epoch, reason="missing_variable"))
            pile.returned_numbers.append(attempt_id)
            return
        usable = usable_for(
            campaign_at=campaign.campaign_at,
            window_ends_at=permit.window_ends_at,
            clock_speed=campaign.clock_speed,
        )
        pile.attempts.append(
            rows.NewAttempt(
                attempt_id,
                call,
                task_id,
                # A phone that the provider may ring until `due_until` counts for caps as if it rang then.
                held.due_until if held else campaign.campaign_at,
                campaign.read_at,
                usable,
                due_from=held.due_from if held else None,
                due_until=held.due_until if held else None,
            )
        )
        pile.decisions.append(new_decision(call.id, facts, permit, campaign=campaign, attempt_id=attempt_id))
        pile.moves.append(Move(call.id, CallState.QUEUED, CallState.DIALING, call.epoch, attempts=1, requests=1))

    def _refuse(
        self,
        call: rows.QueuedCall,
        refusal: Refusal,
        facts: Facts,
        *,
        campaign: rows.CampaignFacts,
        pile: _Pile,
        for_good: bool,
    ) -> None:
        pile.refused += 1
        pile.decisions.append(new_decision(call.id, facts, refusal, campaign=campaign, attempt_id=None))
        opening = None
        if refusal.next_allowed_at is not None and not for_good:
            opening = self._gatekeeper.opening(call.number, facts.evidence, facts.plan, after=refusal.next_allowed_at)
        if opening is not None:
            target, due_at, closes_at = CallState.SCHEDULED, opening.opens_at, opening.closes_at
            pile.moves.append(Move(call.id, CallState.QUEUED, target, call.epoch, due_at=due_at, closes_at=closes_at))
        else:
            state = end_of(refusal)
            pile.moves.append(Move(call.id, CallState.QUEUED, state, call.epoch, reason=refusal.rule_id))

    def _put_off(
        self,
        call: rows.QueuedCall,
        *,
        campaign: rows.CampaignFacts,
        run: rows.RunFacts,
        pile: _Pile,
        for_good: bool,
    ) -> None:
        """The person is on another call of ours: later, or, for a call that its provider was to hold, not at all."""
        if for_good:
            pile.moves.append(Move(call.id, CallState.QUEUED, CallState.FAILED, call.epoch, reason=NUMBER_BUSY))
        else:
            self._send_back(call, wait=NUMBER_BUSY_WAIT, campaign=campaign, run=run, pile=pile)

    def _send_back(
        self,
        call: rows.QueuedCall,
        *,
        wait: timedelta,
        campaign: rows.CampaignFacts,
        run: rows.RunFacts,
        pile: _Pile,
    ) -> None:
        pile.returned += 1
        due_at = min(campaign.campaign_at + wait * campaign.clock_speed, run.latest_at)
        pile.moves.append(
            Move(call.id, CallState.QUEUED, CallState.SCHEDULED, call.epoch, due_at=due_at, closes_at=run.latest_at)
        )

    def _write(
        self, connection: Connection, pile: _Pile, *, campaign: rows.CampaignFacts, judged_at: datetime | None
    ) -> None:
        rows.give_numbers_back(connection, pile.returned_numbers)
        apply_moves(connection, pile.moves)
        rows.write_attempts(connection, pile.attempts, facts=campaign, check_after=HTTP_TIMEOUT + FLUSH_MARGIN)
        digest = self._gatekeeper.rules_digest
        judged = campaign if judged_at is None else replace(campaign, campaign_at=judged_at)
        rows.write_decisions(
            connection,
            without_repeats(connection, pile.decisions, campaign_at=judged.campaign_at, rules_digest=digest),
            facts=judged,
            rules_digest=digest,
            tzdata=self._gatekeeper.tzdata_version,
        )


def _decide(gatekeeper: GateKeeper, facts: Facts, now: datetime) -> Decision:
    return gatekeeper.decide_call(facts, now=now)


def end_of(refusal: Refusal) -> CallState:
    """Where a refusal that no time inside the run can cure leaves the call."""
    if refusal.rule_id == "CAMPAIGN-CANCELLED":
        return CallState.CANCELLED
    return CallState.EXPIRED if refusal.temporal else CallState.BLOCKED
