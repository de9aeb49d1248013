"""The provider in memory: what it accepted, how its calls go, what it shows of them, and what it tells us."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import inf
from random import Random
from uuid import UUID

from campaigns.calls.conversation import SILENCE, Conversation
from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, DialRequest, Phase
from interleaving.stage import Stage

RING_TIMEOUT = 30.0
MAX_DURATION = 120.0
VERDICTS = {
    Outcome.ANSWERED: Verdict(Outcome.ANSWERED, retryable=False, counts=True),
    Outcome.VOICEMAIL: Verdict(Outcome.VOICEMAIL, retryable=True, counts=True),
    Outcome.NO_ANSWER: Verdict(Outcome.NO_ANSWER, retryable=True, counts=True),
    Outcome.BUSY: Verdict(Outcome.BUSY, retryable=True, counts=True),
    Outcome.REJECTED: Verdict(Outcome.REJECTED, retryable=False, counts=True),
    Outcome.PROVIDER_ERROR: Verdict(Outcome.PROVIDER_ERROR, retryable=True, counts=False),
    Outcome.CANCELLED: Verdict(Outcome.CANCELLED, retryable=False, counts=True),
}
_LIKELY = ["answered"] * 4 + ["no_answer"] * 3 + ["busy"] * 2 + ["voicemail", "rejected", "provider_error"]
_TALKS = (Outcome.ANSWERED, Outcome.VOICEMAIL)


@dataclass(eq=False)
class PlacedCall:
    """A call that the provider accepted; instants are virtual seconds."""

    id: str
    attempt_id: UUID
    call_id: int
    number: str
    accepted_at: float
    rings_at: float
    talks_at: float
    """Infinite: nobody picks up."""
    ends_at: float
    """Infinite: the provider never ends it."""
    verdict: Verdict
    conversation: Conversation = SILENCE
    analysed_after: float = 1.0
    listed_after: float = 0.0
    """How far lists lag behind: less than two looks for an unknown fate are apart."""
    shown_after: float = 0.0
    """How far looks at the one call do: less than three looks of a poll take."""
    told: set[Phase] = field(default_factory=set)
    taken_back: bool = False
    """Ended by us before it rang: nobody was called."""

    def phase(self, now: float) -> Phase:
        if now >= self.ends_at + self.analysed_after:
            return Phase.REPORTED
        if now >= self.ends_at:
            return Phase.ENDED
        if now >= self.talks_at:
            return Phase.CONNECTED
        return Phase.RINGING if now >= self.rings_at else Phase.QUEUED

    def is_live(self, now: float) -> bool:
        """Whether it can ring or talk; a call that goes on beyond every limit is the provider's own affair."""
        return now < min(self.ends_at, self.accepted_at + RING_TIMEOUT + MAX_DURATION)

    def report(self, now: float) -> CallReport:
        phase = self.phase(now)
        report = CallReport(self.id, self.attempt_id, phase)
        if phase.rank < Phase.ENDED.rank:
            return report
        talked = self.talks_at < self.ends_at
        report = replace(
            report,
            verdict=self.verdict,
            ended_reason=self.verdict.outcome.value,
            duration=timedelta(seconds=self.ends_at - self.talks_at) if talked else None,
        )
        return replace(report, conversation=self.conversation) if phase is Phase.REPORTED else report


@dataclass(frozen=True, slots=True)
class Leave:
    """One request that left us."""

    at: float
    attempt_id: UUID
    number: str
    campaign_id: int
    limit_group: str


class ProviderModel:
    """Calls of one provider, and the reports that it sends. `tell` is given each report and its phase's number."""

    def __init__(self, stage: Stage, stream: Callable[[str], Random], tell: Callable[[CallReport, str], None]) -> None:
        self._stage = stage
        self._stream = stream
        self._tell = tell
        self.calls: dict[str, PlacedCall] = {}
        self.is_healthy = False
        self.without: frozenset[str] = frozenset()
        self.only: frozenset[str] = frozenset()
        self.on_accept: Callable[[PlacedCall], None] = lambda call: None
        self.on_end: Callable[[PlacedCall], None] = lambda call: None

    def accept(self, request: DialRequest, *, call_id: int) -> PlacedCall:
        """Create the call. It goes its way whoever still listens."""
        number = len(self.calls) + 1
        call = self._new(request, call_id, number=number, rng=self._stream(f"call {number}"))
        self.calls[call.id] = call
        self._stage.trace.note("provider", f"accepts {call.id} (call {call_id}), {call.verdict.outcome}")
        self.on_accept(call)
        for when in (call.rings_at, call.talks_at, call.ends_at, call.ends_at + call.analysed_after):
            self._say_at(call, when)
        return call

    def _new(self, request: DialRequest, call_id: int, *, number: int, rng: Random) -> PlacedCall:
        outcome = Outcome(rng.choice(_LIKELY))
        waits = rng.uniform(0.1, 2.0)
        rings, talks = rng.uniform(1.0, RING_TIMEOUT - 1), rng.uniform(2.0, MAX_DURATION - 1)
        stuck = rng.random() < 0.06 and not self.is_healthy and "stuck" not in self.without
        endless = rng.random() < 0.04 and not self.is_healthy and "endless" not in self.without
        opts_out = rng.random() < 0.15 and outcome is Outcome.ANSWERED
        rings_at = self._stage.now + (waits if not stuck else 400.0)
        talks_at = rings_at + rings if outcome in _TALKS else inf
        ends_at = inf if endless else rings_at + rings + (talks if outcome in _TALKS else 0.0)
        lags = not self.is_healthy and "lag" not in self.without
        return PlacedCall(
            f"call-{number}",
            request.attempt_id,
            call_id,
            request.number,
            self._stage.now,
            rings_at,
            talks_at,
            ends_at,
            VERDICTS[outcome],
            Conversation(disposition="opt_out") if opts_out else SILENCE,
            analysed_after=rng.choice([0.5, 2.0, 20.0]),
            listed_after=rng.choice([0.0, 0.5, 20.0, 150.0]) if lags else 0.0,
            shown_after=rng.choice([0.0, 0.5, 20.0]) if lags else 0.0,
        )

    def hang_up(self, call: PlacedCall) -> bool:
        """End it now; False: it is over."""
        now = self._stage.now
        if now >= call.ends_at:
            return False
        call.ends_at, call.taken_back = now, now < call.rings_at
        call.verdict = VERDICTS[Outcome.CANCELLED] if now < call.talks_at else call.verdict
        self._stage.trace.note("provider", f"{call.id} is ended by us")
        self._say_at(call, now)
        self._say_at(call, now + call.analysed_after)
        return True

    def is_listed(self, call: PlacedCall) -> bool:
        """Whether lists know it yet."""
        return self._stage.now >= call.accepted_at + call.listed_after

    def is_shown(self, call: PlacedCall) -> bool:
        """Whether a look at this one call finds it."""
        return self._stage.now >= call.accepted_at + call.shown_after

    def _say_at(self, call: PlacedCall, when: float) -> None:
        if when < inf:
            self._stage.at(when, f"{call.id} moves on", lambda: self._say(call))

    def _say(self, call: PlacedCall) -> None:
        phase = call.phase(self._stage.now)
        if phase in call.told:
            return
        call.told.add(phase)
        if phase is Phase.ENDED:
            self.on_end(call)
        self._tell(call.report(self._stage.now), f"{call.id}:{phase}")
