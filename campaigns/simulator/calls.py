"""The calls that were created, in the order of their creation."""

import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from campaigns.simulator.dialect import Dialect
from campaigns.simulator.draws import Draws
from campaigns.simulator.fates import Fate


class CallKind(StrEnum):
    """Which way a call goes. Only outbound ones ring somebody's phone, so only they are counted as dials."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    WEB = "web"
    """From a browser; no phone at either end."""


@dataclass(slots=True)
class SimulatedCall:
    """One accepted create. Instants are milliseconds of the provider's clock."""

    id: str
    dialect: Dialect
    number: str
    attempt: str | None
    """The client's own key of the attempt, by which a call made twice is told."""
    name: str | None
    line: str
    request: Mapping[str, Any]
    """The validated body of its create."""
    customer: Mapping[str, Any]
    draws: Draws
    fate: Fate
    created_ms: int
    updated_ms: int
    answer: str = "201"
    """What its create was answered: a status, or the name of the fault that ate the answer."""
    status: str = "queued"
    started_ms: int | None = None
    ended_ms: int | None = None
    ended_reason: str | None = None
    outcome: str | None = None
    """What it came to: that of its fate, or `cancelled`, or `over_limit`. None: it is not over."""
    reported: bool = False
    scheduled_ms: int | None = None
    kind: CallKind = CallKind.OUTBOUND
    waiting: bool = False
    """Behind the concurrency limit; holds no slot."""


def new_call_id(created_ms: int) -> str:
    """A UUID of version 7, as Vapi's are."""
    value = (created_ms << 80) | (0x7 << 76) | int.from_bytes(os.urandom(10)) & ~(0xF << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class CallBook:
    """All calls by id and by time. A deleted call is no longer shown, and goes on."""

    def __init__(self) -> None:
        self._by_id: dict[str, SimulatedCall] = {}
        self._in_order: list[SimulatedCall] = []
        self._deleted: set[str] = set()

    def __len__(self) -> int:
        return len(self._in_order)

    def add(self, call: SimulatedCall) -> None:
        """Calls come with rising `created_ms`."""
        self._by_id[call.id] = call
        self._in_order.append(call)

    def get(self, dialect: Dialect, call_id: str) -> SimulatedCall | None:
        """None: never created by this provider's API, or deleted."""
        call = self._by_id.get(call_id)
        return call if call is not None and call.dialect is dialect and call_id not in self._deleted else None

    def delete(self, call_id: str) -> None:
        """Hide a call."""
        self._deleted.add(call_id)

    def newest_first(self, dialect: Dialect, *, from_ms: int, to_ms: int) -> Iterator[SimulatedCall]:
        """Calls of one provider that were created within the span, both ends included."""
        first = bisect_left(self._in_order, from_ms, key=_created)
        last = bisect_right(self._in_order, to_ms, key=_created)
        for index in range(last - 1, first - 1, -1):
            call = self._in_order[index]
            if call.dialect is dialect and call.id not in self._deleted:
                yield call

    def all(self, *, offset: int, limit: int) -> list[SimulatedCall]:
        """Oldest first, deleted ones too: the witness forgets nothing."""
        return self._in_order[offset : offset + limit]


def _created(call: SimulatedCall) -> int:
    return call.created_ms
