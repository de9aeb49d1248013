"""What a call that was taken back before it rang looks like afterwards, at each provider, and what we make of it."""

import asyncio
from typing import Any

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.calls.states import AttemptState
from campaigns.providers.contract import CallReport, Phase, Placed
from campaigns.services.settle import AttemptView, settle_report


async def taken_back(kit: Any, kind: str) -> tuple[Phase, bool, CallReport]:
    """How a call looked that never leaves the provider's queue, whether it was taken back, and how it looked then."""
    async with kit.a_house(kind, faults={"stuck": 1.0, "stuck_at": "queued"}) as house:
        placed = await house.provider.dial(kit.a_dial(kind=kind))
        assert isinstance(placed, Placed)
        before = await house.provider.fetch(placed.provider_call_id)
        cancelled = await house.provider.cancel(placed.provider_call_id)
        after = await house.provider.fetch(placed.provider_call_id)
        assert before is not None
        assert after is not None
        return before.phase, cancelled, after


@pytest.mark.parametrize(
    ("kind", "confirmed", "outcome", "counts"),
    [
        ("vapi", True, Outcome.PROVIDER_ERROR, False),
        ("vapi", False, Outcome.PROVIDER_ERROR, False),
        ("voxworks", True, Outcome.PROVIDER_ERROR, False),
        ("cognigy", True, Outcome.PROVIDER_ERROR, False),
        ("cognigy", False, Outcome.NO_ANSWER, True),  # its 487 also says that a phone rang in vain: in doubt it rang
    ],
)
def test_a_call_that_is_taken_back_while_it_waits_may_be_tried_again(
    kit: Any, kind: str, confirmed: bool, outcome: Outcome, counts: bool
) -> None:
    before, cancelled, after = asyncio.run(taken_back(kit, kind))
    assert (before, cancelled) == (Phase.QUEUED, True)
    assert after.phase.rank >= Phase.ENDED.rank
    waiting = AttemptView(
        after.attempt_id or kit.a_dial().attempt_id,
        AttemptState.IN_PROGRESS,
        after.provider_call_id,
        connected=False,
        late_cancel=True,
        late_cancelled=confirmed,
    )
    told = CallReport(after.provider_call_id, None, Phase.REPORTED, after.verdict, duration=after.duration)
    verdict = settle_report(waiting, told).verdict
    assert verdict is not None
    assert (verdict.outcome, verdict.retryable, verdict.counts) == (outcome, True, counts)
