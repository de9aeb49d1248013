"""Roll on: calls whose legal opening passed unused get their next one. Off the dialing path, a chunk at a time."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from campaigns.calls.states import CallState
from campaigns.compliance.decision import Opening
from campaigns.compliance.facts import PlaceEvidence, Plan
from campaigns.services.dispatch import UNJUDGED_WAIT
from campaigns.services.gatekeeper import GateKeeper
from campaigns.services.plans import Definitions, plan_of
from campaigns.store import repair as rows
from campaigns.store.claims import CampaignFacts, RunFacts, campaign_facts, run_facts
from campaigns.store.moves import Move, apply_moves

log = logging.getLogger(__name__)

CHUNK = 500
"""Calls a transaction."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What the openings of one run's calls depend on."""

    campaign_at: datetime
    asked_again: Opening
    """For a call whose opening cannot be found out: empty, so that it is looked at again then and never dialed."""
    plan: Plan | None


class RollOn:
    """Move lapsed openings on, or expire calls that have none left in their run."""

    def __init__(self, engine: Engine, gatekeeper: GateKeeper, definitions: Definitions) -> None:
        self._engine = engine
        self._gatekeeper = gatekeeper
        self._definitions = definitions

    def run(self) -> int:
        """Everything that has lapsed; returns how many calls were moved on or expired."""
        total = 0
        while True:
            with self._engine.begin() as connection:
                calls = rows.lapsed_openings(connection, most=CHUNK)
                self._move_on(connection, calls)
            total += len(calls)
            if len(calls) < CHUNK:
                return total

    def _move_on(self, connection: Connection, calls: list[rows.WaitingCall]) -> None:
        runs: dict[int, _Run] = {}
        openings, expired = list[tuple[int, int, datetime, datetime]](), list[Move]()
        for call in calls:
            if call.run_id not in runs:
                runs[call.run_id] = self._run(connection, call)
            opening = self._opening(call, runs[call.run_id])
            if opening is not None:
                openings.append((call.call_id, call.epoch, opening.opens_at, opening.closes_at))
            else:
                expired.append(
                    Move(
                        call.call_id,
                        CallState.SCHEDULED,
                        CallState.EXPIRED,
                        call.epoch,
                        reason="no_opening_before_latest_at",
                    )
                )
        rows.reschedule(connection, openings)
        apply_moves(connection, expired)

    def _opening(self, call: rows.WaitingCall, run: _Run) -> Opening | None:
        if run.plan is None:
            return run.asked_again
        evidence = PlaceEvidence(state=call.address_state, zip=call.zip, timezone=call.timezone)
        try:
            return self._gatekeeper.opening(call.number, evidence, run.plan, after=run.campaign_at)
        except Exception:
            # A fault of ours, or a row that this version cannot read: it must not hold up everybody else's openings.
            log.exception("opening_unknown call_id=%s", call.call_id)
            return run.asked_again

    def _run(self, connection: Connection, call: rows.WaitingCall) -> _Run:
        campaign = campaign_facts(connection, call.campaign_id)
        if campaign is None:
            raise LookupError(f"campaign {call.campaign_id} has calls but no row")
        run = run_facts(connection, [call.run_id])[call.run_id]
        again_at = campaign.campaign_at + UNJUDGED_WAIT * campaign.clock_speed
        return _Run(campaign.campaign_at, Opening(again_at, again_at), self._plan(connection, campaign, run))

    def _plan(self, connection: Connection, campaign: CampaignFacts, run: RunFacts) -> Plan | None:
        """None: the campaign cannot be read by this version."""
        try:
            return plan_of(self._definitions.get(connection, run.version_id), campaign=campaign, run=run)
        except Exception as error:
            if isinstance(error, DBAPIError):  # the transaction is lost, and with it what all the others came to
                raise
            log.exception("campaign_unreadable campaign_id=%s", campaign.campaign_id)
            return None
