"""Roll on: calls whose legal opening passed unused get their next one. Off the dialing path, a chunk at a time."""

from datetime import datetime

from sqlalchemy import Connection, Engine

from campaigns.calls.states import CallState
from campaigns.compliance.facts import PlaceEvidence, Plan
from campaigns.services.gatekeeper import GateKeeper
from campaigns.services.plans import Definitions, plan_of
from campaigns.store import repair as rows
from campaigns.store.claims import campaign_facts, run_facts
from campaigns.store.moves import Move, apply_moves

CHUNK = 500
"""Calls a transaction."""


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
        plans: dict[int, tuple[Plan, datetime]] = {}
        openings, expired = list[tuple[int, int, datetime, datetime]](), list[Move]()
        for call in calls:
            if call.run_id not in plans:
                plans[call.run_id] = self._plan(connection, call)
            plan, now = plans[call.run_id]
            evidence = PlaceEvidence(state=call.address_state, zip=call.zip, timezone=call.timezone)
            opening = self._gatekeeper.opening(call.number, evidence, plan, after=now)
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

    def _plan(self, connection: Connection, call: rows.WaitingCall) -> tuple[Plan, datetime]:
        campaign = campaign_facts(connection, call.campaign_id)
        if campaign is None:
            raise LookupError(f"campaign {call.campaign_id} has calls but no row")
        run = run_facts(connection, [call.run_id])[call.run_id]
        definition = self._definitions.get(connection, run.version_id)
        return plan_of(definition, campaign=campaign, run=run), campaign.campaign_at
