"""Latecomers: dials that missed their instant take new ones together.

A process that falls behind is late with many dials at once. Were each to ask for itself, a statement a dial would make
it later still; while one request for instants is under way, the next ones gather.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from sqlalchemy.exc import SQLAlchemyError

from campaigns.providers.contract import PermitLapsedError
from campaigns.services.pace import Pace, Turn

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Latecomer:
    missed: Turn
    lapses_at: float
    turn: asyncio.Future[Turn]


class Latecomers:
    """Used on one event loop."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._waiting = defaultdict[tuple[tuple[str, float], ...], list[_Latecomer]](list)
        self._serving: asyncio.Task[None] | None = None

    async def next_turn(self, missed: Turn, spacings: Mapping[str, float], *, lapses_at: float) -> Turn:
        """A turn still to come, for one that was missed. Raises `PermitLapsedError` if there is none in time."""
        latecomer = _Latecomer(missed, lapses_at, asyncio.get_running_loop().create_future())
        self._waiting[tuple(sorted(spacings.items()))].append(latecomer)
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        return await latecomer.turn

    async def _serve(self) -> None:
        try:
            while self._waiting:
                spacings, group = self._waiting.popitem()
                await self._serve_group(dict(spacings), group)
        finally:
            self._serving = None  # whatever happened, the next latecomer must find somebody who serves

    async def _serve_group(self, spacings: Mapping[str, float], group: list[_Latecomer]) -> None:
        turns: list[Turn] = []
        try:
            until = max(each.lapses_at for each in group)
            missed = [each.missed for each in group]
            count = sum(not each.turn.done() for each in group)  # permits lapse while a group waits to be served
            turns = await asyncio.to_thread(self._pace.take, spacings, count, until=until, missed=missed)
        except SQLAlchemyError as error:
            log.warning("pace_failed calls=%d cause=%s", len(group), type(error).__name__)
        except Exception:
            # Those of other campaigns wait behind this group, and nobody would serve them.
            log.exception("no_turns_found calls=%d", len(group))
        finally:
            _give(turns, group)


def _give(turns: Sequence[Turn], group: Sequence[_Latecomer]) -> None:
    """The first turns to those whose permits lapse first; who gets none has none in time."""
    waiting = sorted((each for each in group if not each.turn.done()), key=lambda each: each.lapses_at)
    for each, turn in zip_longest(waiting, turns[: len(waiting)]):
        if turn is None:
            each.turn.set_exception(PermitLapsedError())
        else:
            each.turn.set_result(turn)
