"""Rescue: bring back what was claimed and fell silent, end what has run out of time.

A lease that lapsed before the dial goes back. A dial that fell silent is never dialed again by itself: its fate is
unknown, and reconciliation looks for it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from campaigns.calls.states import CallState
from campaigns.providers.contract import FateUnknown
from campaigns.services.apart import record_apart
from campaigns.services.ports import Publisher
from campaigns.services.record import Fact, Recorded, Recorder
from campaigns.store import repair as rows
from campaigns.store.control import cancel_waiting_calls
from campaigns.store.moves import Move, apply_moves
from campaigns.store.ticks import note_tick

log = logging.getLogger(__name__)

CHUNK = 500
"""Rows a transaction: short locks, and the next tick goes on."""


@dataclass(frozen=True, slots=True)
class RescueResult:
    """How many rows each repair touched."""

    leases: int = 0
    fates: int = 0
    expired: int = 0
    failed: int = 0
    cancelled: int = 0
    finished_runs: int = 0


class Rescue:
    """One pass of every repair; running it twice at once does no harm."""

    def __init__(self, engine: Engine, recorder: Recorder, publisher: Publisher) -> None:
        self._engine = engine
        self._recorder = recorder
        self._publisher = publisher

    def run(self) -> RescueResult:
        """Return lapsed leases, mark silent dials, expire, finish."""
        with self._engine.begin() as connection:
            note_tick(connection)
        result = RescueResult(
            leases=self._return_leases(),
            fates=self._mark_silent_dials(),
            expired=self._expire(),
            failed=self._fail_fates(),
            cancelled=self._cancel(),
            finished_runs=self._finish(),
        )
        self._drop_holds()
        if result != RescueResult():
            log.info("rescued %s", result)
        return result

    def _return_leases(self) -> int:
        with self._engine.begin() as connection:
            moves = [
                Move(
                    lease.call_id,
                    CallState.QUEUED,
                    CallState.SCHEDULED,
                    lease.epoch,
                    due_at=lease.due_at,
                    closes_at=lease.closes_at,
                )
                for lease in rows.lapsed_leases(connection, most=CHUNK)
            ]
            return len(apply_moves(connection, moves))

    def _mark_silent_dials(self) -> int:
        with self._engine.begin() as connection:
            silent = rows.silent_dials(connection, most=CHUNK)
        fate = FateUnknown("no answer was recorded: the worker or its database connection was lost")
        record_apart([Fact(attempt_id, fate) for attempt_id in silent], self._record)
        return len(silent)

    def _record(self, facts: Sequence[Fact]) -> Recorded:
        """Nobody answered, so there is nothing in it about an account."""
        with self._engine.begin() as connection:
            return self._recorder.apply(connection, facts)

    def _expire(self) -> int:
        with self._engine.begin() as connection:
            return rows.expire_scheduled(connection, most=CHUNK)

    def _fail_fates(self) -> int:
        with self._engine.begin() as connection:
            return rows.fail_unknown_fates(connection, most=CHUNK)

    def _cancel(self) -> int:
        with self._engine.begin() as connection:
            return sum(
                cancel_waiting_calls(connection, campaign_id, most=CHUNK)
                for campaign_id in rows.cancelled_but_open(connection)
            )

    def _finish(self) -> int:
        with self._engine.begin() as connection:
            return len(rows.finish_runs(connection))

    def _drop_holds(self) -> None:
        with self._engine.begin() as connection:
            groups = rows.drop_lapsed_holds(connection)
        for limit_group in groups:
            self._publisher.request_feed(limit_group)
