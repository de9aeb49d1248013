"""Call-backs: somebody who calls us is not called by campaigns that say so, and is heard when they opt out.

Their waiting calls end; a call that is being dialed at this moment goes on and makes no further attempt. The number is
erased from the inbox once this is done.
"""

import logging
from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from campaigns.calls.states import CallState
from campaigns.definition.conversations import OptOut
from campaigns.services.asking_back import ask_back
from campaigns.services.opt_out import RECORDED_BY, block_scheduled
from campaigns.services.report_json import from_json
from campaigns.store import callers as rows
from campaigns.store import inbox
from campaigns.store.moves import Move, apply_moves
from campaigns.store.revocations import NewRevocation, add_revocation

log = logging.getLogger(__name__)

INBOUND_CALL = "inbound_call"
"""The reason of calls that end so, and the channel of an opt-out spoken in a call to us."""
BATCH = 50
"""Events a transaction: calls to us are rare."""
_WAITING = frozenset({CallState.SCHEDULED, CallState.QUEUED})
_ALWAYS = OptOut()
"""A call to us belongs to no campaign, so only what is an opt-out everywhere is one here."""


class Callers:
    """Acts on calls that people made to us."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def process(self) -> int:
        """Everything that is due, batch by batch; returns how many events there were."""
        seen = 0
        while True:
            # A transaction of its own: it locks calls by id, and must hold no other lock on calls then.
            with self._engine.begin() as connection:
                events = inbox.lock_callers(connection, most=BATCH)
                _act(connection, events)
                inbox.done(connection, [event.id for event in events])
            seen += len(events)
            if len(events) < BATCH:
                return seen


def _act(connection: Connection, events: Sequence[inbox.CallerRow]) -> None:
    numbers = sorted({event.caller for event in events})
    if not numbers:
        return
    calls = rows.lock_open_calls(connection, numbers)
    waiting = [call for call in calls if call.state in _WAITING]
    moves = [Move(call.id, call.state, CallState.CANCELLED, call.epoch, reason=INBOUND_CALL) for call in waiting]
    ended = apply_moves(connection, moves)
    rows.stop_after_this(connection, [call.id for call in calls if call.state not in _WAITING], reason=INBOUND_CALL)
    for event in events:
        _record_opt_out(connection, event)
    log.info("callers_seen events=%d ended_calls=%d going_on=%d", len(events), len(ended), len(calls) - len(waiting))


def _record_opt_out(connection: Connection, event: inbox.CallerRow) -> None:
    words = _ALWAYS.heard_in(from_json(event.report).conversation)
    if words is None:
        return
    new = NewRevocation(event.caller, "all", None, channel=INBOUND_CALL, words=words, received_at=event.received_at)
    revocation = add_revocation(connection, new, recorded_by=RECORDED_BY)
    if revocation is not None:
        blocked = block_scheduled(connection, revocation)
        ask_back(connection, revocation)
        log.info("opt_out_recorded revocation_id=%s blocked=%d", revocation.id, blocked)
