"""Calls that were accepted and do not ring a minute later: taken back where possible, else shown to a person."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, Capabilities, Phase, ProviderUnavailableError
from campaigns.services.late_ring import LATE_AFTER, LEASE, PATIENCE, LateRing

ANN = "+12125550101"
CANCELLED = Verdict(Outcome.CANCELLED, False, True)
A_MINUTE = LATE_AFTER + timedelta(seconds=1)


ABLE = Capabilities(lists_calls=True, cancels_waiting=True, ends_live=True, signs_webhooks=False)


class KilledError(BaseException):
    """The worker's end, in the middle of a pass."""


@dataclass
class WaitingLine:
    """A provider that holds calls back, each in the phase that a test sets."""

    phases: dict[str, Phase] = field(default_factory=dict)
    cancels: list[str] = field(default_factory=list)
    obeys: bool = True
    away: bool = False
    killed_after_cancel: bool = False
    verdict: Verdict = CANCELLED
    capabilities: Capabilities = ABLE

    async def fetch(self, call_id: str) -> CallReport | None:
        if self.away:
            raise ProviderUnavailableError("503")
        phase = self.phases.get(call_id)
        if phase is None:
            return None
        over = phase.rank >= Phase.ENDED.rank
        return CallReport(call_id, None, phase, self.verdict if over else None)

    async def cancel(self, call_id: str) -> bool:
        self.cancels.append(call_id)
        if self.obeys and self.phases[call_id] is Phase.QUEUED:
            self.phases[call_id] = Phase.REPORTED
            if self.killed_after_cancel:
                raise KilledError
            return True
        return False


@pytest.fixture
def line() -> WaitingLine:
    return WaitingLine()


@pytest.fixture
def late_ring(world, line: WaitingLine, run_async) -> LateRing:
    providers: Any = {"sim": line}
    return LateRing(world.database, world.recorder, providers, world.publisher, run_async=run_async)


@pytest.fixture
def waiting(world, line: WaitingLine) -> int:
    """A call that the provider accepted and holds back."""
    call: int = world.call(world.campaign(), ANN)
    world.dial_all()
    line.phases[provider_call(world, call)] = Phase.QUEUED
    return call


def provider_call(world, call: int) -> str:
    return f"call-{world.newest_attempt(call)}"


def attempt(world, call: int) -> Any:
    return world.sql(
        "SELECT state, outcome, counts, rang, late_ring_at, late_cancel_at FROM attempts WHERE call_id = :id "
        "ORDER BY attempt_no DESC LIMIT 1",
        id=call,
    )[0]


def alarms(world) -> list[str]:
    return [row.kind for row in world.sql("SELECT kind FROM alarms ORDER BY id")]


def test_a_call_that_waits_for_a_minute_is_taken_back_and_tried_again_without_counting(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    world.pass_time(A_MINUTE)
    assert late_ring.run() == 1
    found = attempt(world, waiting)
    assert (found.state, found.outcome, found.counts) == ("closed", "provider_error", False)
    assert world.state(waiting) == "scheduled"
    assert world.one("SELECT attempts FROM calls WHERE id = :id", id=waiting) == 0
    assert alarms(world) == []
    assert world.live_numbers() == {}


def test_a_call_is_given_its_minute(world, line: WaitingLine, late_ring: LateRing, waiting: int):
    world.pass_time(LATE_AFTER - timedelta(seconds=20))
    assert late_ring.run() == 0
    assert line.cancels == []


@pytest.mark.parametrize("phase", [Phase.RINGING, Phase.CONNECTED])
def test_a_call_that_was_heard_to_ring_is_not_even_asked_after(
    world, line: WaitingLine, late_ring: LateRing, waiting: int, phase: Phase
):
    world.receive(world.report(waiting, phase))
    line.away = True
    world.pass_time(A_MINUTE)
    assert late_ring.run() == 0
    assert attempt(world, waiting).rang


def test_a_ring_whose_webhook_was_lost_is_recorded_and_the_call_left_alone(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    line.phases[provider_call(world, waiting)] = Phase.RINGING
    world.pass_time(A_MINUTE)
    assert late_ring.run() == 0
    assert (attempt(world, waiting).rang, line.cancels) == (True, [])
    line.away = True
    world.pass_time(LEASE)
    assert late_ring.run() == 0


def test_where_nothing_can_be_taken_back_a_person_is_told_once(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    line.capabilities = Capabilities(lists_calls=True, cancels_waiting=False, ends_live=False, signs_webhooks=False)
    world.pass_time(A_MINUTE)
    for _ in range(3):
        late_ring.run()
        world.pass_time(LEASE)
    assert attempt(world, waiting).late_ring_at is not None
    assert (alarms(world), line.cancels) == (["late_ring"], [])
    assert world.state(waiting) == "in_progress"


def test_what_cannot_be_taken_back_for_minutes_is_shown_to_a_person(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    line.obeys = False
    world.pass_time(A_MINUTE)
    late_ring.run()
    assert (len(line.cancels), alarms(world)) == (1, [])
    world.pass_time(PATIENCE)
    late_ring.run()
    assert (len(line.cancels), alarms(world)) == (2, ["late_ring"])


def test_a_call_that_the_provider_is_to_dial_later_has_until_then(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    until = "SELECT clock_timestamp() + interval '5 minutes' AS at"
    world.sql(f"UPDATE attempts SET provider_due_from = s.at, provider_due_until = s.at FROM ({until}) s")
    world.pass_time(A_MINUTE)
    assert (late_ring.run(), line.cancels) == (0, [])
    world.sql("UPDATE attempts SET provider_due_until = provider_due_until - interval '6 minutes 1 second'")
    assert late_ring.run() == 1


def test_a_worker_that_dies_after_the_cancel_leaves_a_call_that_is_tried_again(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    line.killed_after_cancel = True
    world.pass_time(A_MINUTE)
    with pytest.raises(KilledError):
        late_ring.run()
    assert attempt(world, waiting).state == "in_progress"
    world.receive(world.report(waiting, Phase.REPORTED, CANCELLED))
    assert (attempt(world, waiting).outcome, world.state(waiting)) == ("provider_error", "scheduled")


def test_a_worker_that_dies_before_the_cancel_is_followed_by_another(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    line.away = True
    world.pass_time(A_MINUTE)
    assert late_ring.run() == 0
    line.away = False
    assert late_ring.run() == 0  # its lease still holds
    world.pass_time(LEASE)
    assert late_ring.run() == 1
    assert len(line.cancels) == 1


def test_two_passes_at_once_ask_for_each_call_once(
    world, line: WaitingLine, late_ring: LateRing, run_async, waiting: int
):
    providers: Any = {"sim": line}
    other = LateRing(world.database, world.recorder, providers, world.publisher, run_async=run_async)
    world.pass_time(A_MINUTE)
    together = Barrier(2)

    def run(which: LateRing) -> int:
        together.wait()
        return which.run()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(run, [late_ring, other])) == 1
    assert len(line.cancels) == 1
    assert world.attempt_states(waiting) == ["closed"]


def test_a_call_that_rang_before_it_was_taken_back_counts(world, line: WaitingLine, late_ring: LateRing, waiting: int):
    line.obeys = False
    world.pass_time(A_MINUTE)
    late_ring.run()
    world.receive(world.report(waiting, Phase.RINGING))
    world.receive(world.report(waiting, Phase.REPORTED, CANCELLED))
    found = attempt(world, waiting)
    assert (found.outcome, found.counts, world.state(waiting)) == ("cancelled", True, "cancelled")


def test_a_call_that_talked_before_it_was_taken_back_counts(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    line.obeys = False
    world.pass_time(A_MINUTE)
    late_ring.run()
    world.receive(world.report(waiting, Phase.REPORTED, CANCELLED, duration=timedelta(seconds=9)))
    assert attempt(world, waiting).counts


RANG_OUT = Verdict(Outcome.NO_ANSWER, True, True)


def test_a_call_that_could_not_be_taken_back_and_rang_out_counts(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    line.obeys = False
    world.pass_time(A_MINUTE)
    late_ring.run()
    world.receive(world.report(waiting, Phase.REPORTED, RANG_OUT))
    assert (attempt(world, waiting).outcome, attempt(world, waiting).counts) == ("no_answer", True)


def test_a_gateways_one_word_for_both_is_read_by_what_it_said_of_the_cancel(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    """487 is what it says of a phone that rang out, and of a call that it took back for us."""
    line.verdict = RANG_OUT
    world.pass_time(A_MINUTE)
    assert late_ring.run() == 1
    found = attempt(world, waiting)
    assert (found.outcome, found.counts, world.state(waiting)) == ("provider_error", False, "scheduled")


def test_a_cancellation_that_was_not_ours_ends_the_call(world, waiting: int):
    world.receive(world.report(waiting, Phase.REPORTED, CANCELLED))
    assert (attempt(world, waiting).outcome, world.state(waiting)) == ("cancelled", "cancelled")


def test_without_webhooks_the_ring_is_learned_in_time_by_asking(
    world, line: WaitingLine, late_ring: LateRing, waiting: int
):
    world.sql("UPDATE accounts SET webhooks = false")
    world.sql("UPDATE attempts SET check_at = clock_timestamp()")
    world.provider.listed = [world.report(waiting, Phase.RINGING)]
    world.poll.run()
    world.pass_time(A_MINUTE)
    assert (late_ring.run(), line.cancels) == (0, [])


def test_one_provider_that_is_away_costs_one_request(world, line: WaitingLine, late_ring: LateRing):
    campaign = world.campaign()
    for number in (ANN, "+12125550102", "+12125550103"):
        world.call(campaign, number)
    world.dial_all()
    asked: list[str] = []

    async def refuse(call_id: str) -> CallReport | None:
        asked.append(call_id)
        raise ProviderUnavailableError("503")

    line.fetch = refuse  # type: ignore[method-assign] # one method of this one provider
    world.pass_time(A_MINUTE)
    late_ring.run()
    assert len(asked) == 1
