"""The provider as one process reaches it: connections, requests, answers, and what goes wrong with each."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, ClassVar

from campaigns.calls.permits import HTTP_TIMEOUT
from campaigns.providers.contract import (
    CallReport,
    Capabilities,
    DialRequest,
    DialResult,
    FateUnknown,
    Listing,
    NotDialed,
    NotDialedKind,
    PermitLapsedError,
    Phase,
    Placed,
    ProviderUnavailableError,
    Sought,
)
from interleaving.provider_model import PlacedCall, ProviderModel
from interleaving.stage import Stage

DIAL_FAULTS = (
    "no_connection",
    "lost_request",
    "lost_answer",
    "error_before",
    "error_after",
    "late_answer",
    "late_accept",
    "rate_limited",
    "full",
)
"""What may happen to a create, beside being answered."""
_CERTAIN = {"rate_limited": NotDialedKind.RATE_LIMITED, "full": NotDialedKind.CAPACITY}
_TIMEOUT = HTTP_TIMEOUT.total_seconds()


@dataclass(frozen=True, slots=True)
class DialFate:
    """How one create goes. `accept_after`, `answer_after`: seconds from its leaving; None: never."""

    name: str
    connect: float
    accept_after: float | None
    answer_after: float
    answer: DialResult | None
    """None: the call's id, if it is known by then."""


def draw_fate(rng: Random, *, faulty: bool, without: frozenset[str], only: frozenset[str]) -> DialFate:
    """By chance, about one create in three meets a fault. `only`: one of these, if any of them is a create's."""
    connect, accept, answer = rng.uniform(0.001, 0.05), rng.uniform(0.01, 0.2), rng.uniform(0.21, 0.6)
    late = rng.uniform(1.0, _TIMEOUT - 1)
    meant = [name for name in DIAL_FAULTS if name in only] or DIAL_FAULTS
    name = rng.choice(meant) if rng.random() < 0.35 else "answered"
    if not faulty or name in without:
        name = "answered"
    unknown = FateUnknown(name)
    match name:
        case "no_connection":
            return DialFate(name, rng.uniform(0.05, 0.9), None, 0.0, NotDialed(NotDialedKind.NO_CONNECTION, name))
        case "lost_request":
            return DialFate(name, connect, None, _TIMEOUT, unknown)
        case "lost_answer":
            return DialFate(name, connect, accept, _TIMEOUT, unknown)
        case "error_before":
            return DialFate(name, connect, None, answer, unknown)
        case "error_after":
            return DialFate(name, connect, accept, answer, unknown)
        case "late_answer":
            return DialFate(name, connect, accept, late, None)
        case "late_accept":
            return DialFate(name, connect, late, _TIMEOUT, unknown)
        case "rate_limited" | "full":
            return DialFate(name, connect, None, answer, NotDialed(_CERTAIN[name], name))
    return DialFate(name, connect, accept, answer, None)


class SimulatedAccount:
    """`VoiceProvider` over the model. `leaves` is told of every request in the instant in which it leaves."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        lists_calls=True, cancels_waiting=True, ends_live=True, signs_webhooks=False
    )

    def __init__(
        self,
        stage: Stage,
        model: ProviderModel,
        stream: Callable[[str], Random],
        leaves: Callable[[DialRequest, str], int],
    ) -> None:
        self._stage = stage
        self._model = model
        self._stream = stream
        self._leaves = leaves

    async def dial(self, request: DialRequest) -> DialResult:
        model = self._model
        fate = draw_fate(self._stream("dial"), faulty=not model.is_healthy, without=model.without, only=model.only)
        await asyncio.sleep(fate.connect)
        if fate.name == "no_connection":
            return fate.answer or FateUnknown(fate.name)
        try:
            await request.permit.turn()
        except PermitLapsedError:
            return NotDialed(NotDialedKind.PERMIT_LAPSED, "too late")
        call_id = self._leaves(request, fate.name)
        answer = asyncio.get_running_loop().create_future()
        self._sent(request, call_id, fate, answer)
        result: DialResult = await answer
        return result

    def _sent(self, request: DialRequest, call_id: int, fate: DialFate, answer: asyncio.Future[DialResult]) -> None:
        """From here on it is on the wire: what happens does not depend on this process any more."""
        placed: list[PlacedCall] = []
        now = self._stage.now

        def accept() -> None:
            placed.append(self._model.accept(request, call_id=call_id))

        def reply() -> None:
            result = fate.answer or (Placed(placed[0].id) if placed else FateUnknown("nothing came back"))
            if not answer.done():
                answer.set_result(result)

        if fate.accept_after is not None:
            self._stage.at(now + fate.accept_after, f"create of call {call_id} arrives", accept)
        self._stage.at(now + fate.answer_after, f"create of call {call_id} is answered ({fate.name})", reply)

    async def list_calls(self, *, created_from: datetime, created_to: datetime) -> Listing:
        await self._trip("list")
        first, last = self._stage.seconds(created_from), self._stage.seconds(created_to)
        shown = [call for call in self._model.calls.values() if self._model.is_listed(call)]
        reports = [call.report(self._stage.now) for call in shown if first <= call.accepted_at <= last]
        return Listing(reports, complete=True, clock_skew=timedelta(0))

    async def find(self, sought: Sequence[Sought], *, created_from: datetime, created_to: datetime) -> Listing:
        listing = await self.list_calls(created_from=created_from, created_to=created_to)
        wanted = {each.attempt_id for each in sought}
        return Listing([each for each in listing.reports if each.attempt_id in wanted], listing.complete)

    async def fetch(self, provider_call_id: str) -> CallReport | None:
        await self._trip("fetch")
        call = self._model.calls[provider_call_id]
        return call.report(self._stage.now) if self._model.is_shown(call) else None

    async def cancel(self, provider_call_id: str) -> bool:
        await self._trip("cancel")
        call = self._model.calls[provider_call_id]
        done = call.phase(self._stage.now) is Phase.QUEUED and self._model.hang_up(call)
        await self._trip("cancel answer")
        return done

    async def end(self, provider_call_id: str) -> bool:
        await self._trip("end")
        done = self._model.hang_up(self._model.calls[provider_call_id])
        await self._trip("end answer")
        return done

    async def _trip(self, what: str) -> None:
        """To the provider and back. Raises `ProviderUnavailableError`."""
        rng = self._stream(what)
        slow, fails = rng.random() < 0.1, rng.random() < 0.15
        if self._model.is_healthy or "reads" in self._model.without:
            slow = fails = False
        await asyncio.sleep(rng.uniform(0.02, 0.3) if not slow else rng.uniform(1.0, 20.0))
        if fails:
            raise ProviderUnavailableError("503")

    def verify_webhook(self, request: Any, *, secret: str) -> None:
        raise NotImplementedError

    def parse_webhook(self, body: bytes) -> Any:
        raise NotImplementedError

    async def aclose(self) -> None:
        return None
