"""Webhooks through the inbox in every order, twice, together and one by one: the same end, and one attempt."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import CallReport, Phase, Receipt

PHASES = (Phase.QUEUED, Phase.RINGING, Phase.CONNECTED, Phase.ENDED, Phase.REPORTED)
ORDERS = tuple(permutations(PHASES))
AREA_CODES = ("212", "646")


def dialed_calls(world, count: int) -> list[int]:
    world.sql("UPDATE accounts SET concurrency = 1000")
    campaign = world.campaign()
    calls = [world.call(campaign, f"+1{AREA_CODES[n // 100]}55501{n % 100:02}") for n in range(count)]
    while any(world.state(call) != "in_progress" for call in calls):
        world.dial_all()
    return calls


def report(world, call: int, phase: Phase, verdict: Verdict) -> CallReport:
    over = phase.rank >= Phase.ENDED.rank
    duration = timedelta(seconds=42) if phase is Phase.REPORTED else None
    found: CallReport = world.report(call, phase, verdict if over else None, duration=duration)
    return found


def receive(world, told: Sequence[tuple[int, Phase]], verdict: Verdict) -> None:
    world.intake.accept_all(
        [
            ("sim", Receipt(f"{call}-{phase}", "status-update", report(world, call, phase, verdict)))
            for call, phase in told
        ]
    )


def ends(world, calls: Sequence[int]) -> set[tuple[object, ...]]:
    rows = world.sql(
        """SELECT c.state, c.reason, c.attempts, c.requests, t.state AS attempt, t.outcome, t.counts, t.rang,
            t.duration, t.closed_at IS NOT NULL AS closed, count(*) OVER (PARTITION BY c.id) AS tries
        FROM calls c JOIN attempts t ON t.call_id = c.id WHERE c.id = ANY(:ids)""",
        ids=list(calls),
    )
    return {tuple(row) for row in rows}


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
@pytest.mark.parametrize(
    "verdict",
    [Verdict(Outcome.ANSWERED, False, True), Verdict(Outcome.NO_ANSWER, True, True)],
    ids=["answered", "to be tried again"],
)
def test_every_order_of_webhooks_comes_to_the_same_end(world, verdict: Verdict, together: bool):
    calls = dialed_calls(world, len(ORDERS))
    for step in range(len(PHASES)):
        told = [(call, order[step]) for call, order in zip(calls, ORDERS, strict=True)]
        receive(world, told, verdict)
        receive(world, told, verdict)
        if not together:
            world.inbox.process()
    world.inbox.process()
    assert len(ends(world, calls)) == 1
    ((state, _, attempts, _, attempt, outcome, counts, rang, _, closed, tries),) = ends(world, calls)
    assert state == ("completed" if verdict.outcome is Outcome.ANSWERED else "scheduled")
    assert (attempt, outcome, counts, rang, closed) == ("closed", verdict.outcome, True, True, True)
    assert (attempts, tries) == (1, 1)
    assert world.live_numbers() == {}


def test_webhooks_of_days_later_change_nothing(world):
    calls = dialed_calls(world, 3)
    verdict = Verdict(Outcome.ANSWERED, False, True)
    receive(world, [(call, Phase.REPORTED) for call in calls], verdict)
    world.inbox.process()
    before = ends(world, calls)
    world.pass_time(timedelta(days=3))
    for phase in PHASES:
        receive(world, [(call, phase) for call in calls], Verdict(Outcome.NO_ANSWER, True, True))
        world.inbox.process()
    assert ends(world, calls) == before
    assert world.one("SELECT count(*) FROM inbox WHERE state <> 'done'") == 0
