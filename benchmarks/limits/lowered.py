"""Limits lowered in the middle of a run: how long the old ones still show, and what is seen of the new ones."""

import time
from typing import Any

from benchmarks.limits.rate import wait_until_dialing
from benchmarks.limits.stack import SURE_ANSWER, Dial, Limits, a_stack
from campaigns.simulator.door import most_in_any_second

CAMPAIGNS = 3
BEFORE, RATE_LOWERED, BOTH_LOWERED = Limits(50.0, 200), Limits(5.0, 200), Limits(5.0, 10)
SECONDS = 8.0
"""Each stretch: at the first rate it leaves more calls in flight than the lower concurrency allows."""
PERMIT = 1.0
"""Seconds in which a dial that was claimed before may still leave."""


def measure(*, processes: int) -> dict[str, Any]:
    """Dial at 50/s, lower the rate to 5/s, then the concurrency to fewer calls than are live."""
    phone_settings = ("queued=[0,0]", "ring=[0,0]", "talk=[60,100]", "speed=5", SURE_ANSWER)
    with a_stack(
        BEFORE, campaigns=CAMPAIGNS, calls=400, processes=processes, phone_settings=phone_settings, webhooks=True
    ) as stack:
        stack.control.start()
        wait_until_dialing(stack)
        time.sleep(SECONDS)
        stack.set_limits(RATE_LOWERED, webhooks=True)
        slowed_at = time.time()
        time.sleep(SECONDS)
        stack.set_limits(BOTH_LOWERED, webhooks=True)
        narrowed_at = time.time()
        time.sleep(3 * SECONDS)
        stack.control.stop_all()
        creates, dials = stack.creates(), stack.dials()
    slow = [at for at in creates if at > slowed_at + PERMIT]
    return {
        "processes": processes,
        "most_in_any_second_before": most_in_any_second([at for at in creates if at <= slowed_at]),
        "dials_in_the_permit_after_slowing": sum(slowed_at < at <= slowed_at + PERMIT for at in creates),
        "most_in_any_second_after": most_in_any_second(slow),
        "rate_after": BOTH_LOWERED.rate,
        "calls_live_when_narrowed": _in_flight(dials, narrowed_at),
        "most_live_at_a_later_dial": max(
            (_in_flight(dials, dial.created_at) for dial in dials if dial.created_at > narrowed_at + PERMIT), default=0
        ),
        "concurrency_after": BOTH_LOWERED.concurrency,
        "dials_after_narrowing": sum(dial.created_at > narrowed_at + PERMIT for dial in dials),
    }


def _in_flight(dials: list[Dial], at: float) -> int:
    return sum(dial.created_at <= at and (dial.ended_at is None or dial.ended_at > at) for dial in dials)
