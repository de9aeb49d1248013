"""Latecomers: dials that missed their instant take new ones together.

A process that falls behind is late with many dials at once. Were each to ask for itself, a statement a dial would make
it later still; while one request for instants is under way, the next ones gather.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from campaigns.providers.contract import PermitLapsedError
from campaigns.services.pace import Pace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Latecomer:
    lapses_at: float
    instant: asyncio.Future[float]


class Latecomers:
    """Used on one event loop."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._waiting = defaultdict[tuple[tuple[str, float], ...], list[_Latecomer]](list)
        self._serving: asyncio.Task[None] | None = None

    async def next_instant(self, spacings: Mapping[str, float], *, lapses_at: float) -> float:
        """A new instant, as a reading of the monotonic clock. Raises `PermitLapsedError` if there is none in time."""
        latecomer = _Latecomer(lapses_at, asyncio.get_running_loop().create_future())
        self._waiting[tuple(sorted(spacings.items()))].append(latecomer)
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        return await latecomer.instant

    async def _serve(self) -> None:
        while self._waiting:
            spacings, group = self._waiting.popitem()
            await self._serve_group(dict(spacings), group)
        self._serving = None

    async def _serve_group(self, spacings: Mapping[str, float], group: list[_Latecomer]) -> None:
        until = max(each.lapses_at for each in group)
        try:
            instants = await asyncio.to_thread(self._pace.take, spacings, len(group), until=until)
        except SQLAlchemyError as error:
            log.warning("pace_failed calls=%d cause=%s", len(group), type(error).__name__)
            instants = []
        for number, each in enumerate(group):
            if each.instant.done():  # given up meanwhile
                continue
            if number < len(instants):
                each.instant.set_result(instants[number])
            else:
                each.instant.set_exception(PermitLapsedError())
