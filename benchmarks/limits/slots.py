"""Slots: how soon a freed one is dialed on, and how busy they are while work is ready.

Calls are played faster than life so that a run takes a minute; our own delays are not. So the share of time in which
slots are busy is given twice: as it was with these short calls, and as it is for calls of a minute, from the measured
time a slot lay idle between two calls.
"""

import heapq
import time
from collections.abc import Sequence
from statistics import fmean, quantiles
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.limits.rate import wait_until_dialing
from benchmarks.limits.stack import SURE_ANSWER, Dial, Limits, Stack, a_stack

CAMPAIGNS = 3
RATE = 50.0
"""Far above what the slots need, so that they are the only limit."""
LONG_CALL = 60.0
POLL = 0.25
STANDSTILL = 30.0


def measure(*, slots: int, rounds: int, speed: float, processes: int) -> dict[str, Any]:
    """Dial `slots` × `rounds` calls of a minute each, at `speed`, over so many slots, webhooks on."""
    calls = slots * rounds // CAMPAIGNS
    phone_settings = ("queued=[0,0]", "ring=[0,0]", "talk=[45,75]", f"speed={speed}", SURE_ANSWER)
    with a_stack(
        Limits(RATE, slots),
        campaigns=CAMPAIGNS,
        calls=calls,
        processes=processes,
        phone_settings=phone_settings,
        webhooks=True,
    ) as stack:
        stack.control.start()
        wait_until_dialing(stack)
        _until_over(stack, calls * CAMPAIGNS)
        dials, freed, stats = stack.dials(), _freed(stack.database), stack.provider.stats()
    from_record = [1000 * each for each in _delays(freed, dials, slots)]
    at_provider = _delays(sorted(map(_end, dials)), dials, slots)
    lengths = [_end(dial) - dial.created_at for dial in dials]
    makespan = max(map(_end, dials)) - dials[0].created_at
    return {
        "slots": slots,
        "processes": processes,
        "calls": len(dials),
        "double_dials": stats["double_dials"],
        "most_in_flight": stats["calls_in_flight_max"],
        "exceeded": stats["calls_in_flight_max"] > slots,
        "mean_call_s": round(fmean(lengths), 2),
        "freed_to_request_ms": _spread(from_record),
        "ended_to_request_at_the_provider_ms": _spread([1000 * each for each in at_provider]),
        "slots_busy": round(fmean(lengths) / (fmean(lengths) + fmean(at_provider)), 4),
        "slots_busy_if_calls_took_a_minute": round(LONG_CALL / (LONG_CALL + fmean(at_provider)), 4),
        "makespan_s": round(makespan, 2),
        "makespan_bound_s": round(_bound(lengths, slots), 2),
        "makespan_over_bound": round(makespan / _bound(lengths, slots), 4),
    }


def _end(dial: Dial) -> float:
    assert dial.ended_at is not None
    return dial.ended_at


def _delays(freed: Sequence[float], dials: Sequence[Dial], slots: int) -> list[float]:
    """From the n-th slot that came free to the n-th dial after the first fill, in seconds; both in order of time."""
    return [dial.created_at - at for at, dial in zip(freed, dials[slots:], strict=False)]


def _spread(values: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(values, n=100)
    return {"mean": round(fmean(values), 1), "p50": round(cuts[49], 1), "p99": round(cuts[98], 1)}


def _bound(lengths: Sequence[float], slots: int) -> float:
    """How long these calls take, in this order, if every slot is dialed on in the very instant in which it comes free
    and the first fill goes as fast as the rate allows."""
    free = [number / RATE for number in range(slots)]
    heapq.heapify(free)
    ends = []
    for length in lengths:
        ends.append(heapq.heappop(free) + length)
        heapq.heappush(free, ends[-1])
    return max(ends)


def _freed(database: Engine) -> list[float]:
    """When each slot was given back, by the record: seconds since the epoch."""
    with database.begin() as connection:
        rows = connection.execute(
            text("""
                SELECT extract(epoch FROM ended_at)::double precision AS at FROM attempts
                WHERE ended_at IS NOT NULL AND state <> 'not_dialed'
            """)
        )
        return sorted(row.at for row in rows)


def _until_over(stack: Stack, calls: int) -> None:
    over, moved_at = 0, time.monotonic()
    while over < calls:
        with stack.database.begin() as connection:
            now_over = connection.execute(text("SELECT count(*) FROM calls WHERE final_at IS NOT NULL")).scalar_one()
        if now_over > over:
            over, moved_at = now_over, time.monotonic()
        elif time.monotonic() - moved_at > STANDSTILL:
            raise RuntimeError(f"{over} of {calls} calls are over, and nothing moves")
        time.sleep(POLL)
