"""Calls per second, as the provider counts them: never above the limit, and as near to it as may be."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import redis

from benchmarks.limits.stack import SURE_ANSWER, Limits, Stack, a_stack
from campaigns.runtime.installation import has_logged, wait_for
from campaigns.simulator.door import most_in_any_second

CAMPAIGNS = 3
WARM_UP = 2.0
"""Seconds after the first dial that are measured for the limit and not for its use: the claim learns its own time."""
RINGS_FOR_EVER = (
    "queued=[0,0]",
    "ring=[3000,3000]",
    "webhooks.enabled=false",
    "answer_latency=[0.05,0.05]",
    SURE_ANSWER,
)
LONGEST_START = 20.0
POLL = 0.02


def measure(*, rate: float, processes: int, seconds: float, fault: str | None = None) -> dict[str, Any]:
    """Dial for `seconds` at `rate` from three campaigns; `fault`: a name from `FAULTS`, struck again and again."""
    calls = int(rate * (seconds + WARM_UP + 5) * 1.2 / CAMPAIGNS) + 5
    with a_stack(
        Limits(rate), campaigns=CAMPAIGNS, calls=calls, processes=processes, phone_settings=RINGS_FOR_EVER
    ) as stack:
        stack.control.start()
        wait_until_dialing(stack)
        _let_run(stack, WARM_UP + seconds, fault)
        stack.control.stop_all()
        creates, stats = stack.creates(), stack.provider.stats()
    most = most_in_any_second(creates)
    return {
        "rate": rate,
        "processes": processes,
        "campaigns": CAMPAIGNS,
        "fault": fault,
        "dials": stats["dials"],
        "double_dials": stats["double_dials"],
        "most_in_any_second": most,
        "exceeded": most > max(1, rate),
        "most_by_the_simulators_clock": stats["dials_max_in_any_second"],
        "spare_ms": spare_ms(creates, rate),
        "used": used(creates, rate, seconds=seconds),
    }


def used(creates: Sequence[float], rate: float, *, seconds: float) -> float | None:
    """The share of the limit that was dialed after the warm-up."""
    since = creates[0] + WARM_UP
    within = [at for at in creates if since <= at <= since + seconds]
    return round((len(within) - 1) / (within[-1] - within[0]) / rate, 4) if len(within) > 1 else None


def spare_ms(creates: Sequence[float], rate: float) -> float | None:
    """Milliseconds that were left, at the tightest place, beyond the second in which no dial more is allowed."""
    count, per = max(1, round(rate)), max(1.0, 1 / rate)
    gaps = [later - first for first, later in zip(creates, creates[count:], strict=False)]
    return round(1000 * (min(gaps) - per), 1) if gaps else None


def wait_until_dialing(stack: Stack) -> None:
    began = time.monotonic()
    while not stack.provider.stats()["dials"]:
        if time.monotonic() - began > LONGEST_START:
            raise RuntimeError("nothing was dialed")
        time.sleep(POLL)


def _let_run(stack: Stack, seconds: float, fault: str | None) -> None:
    strikes = 3 if fault else 0
    for _ in range(strikes):
        time.sleep(seconds / (strikes + 1))
        FAULTS[fault or ""](stack)
    time.sleep(seconds / (strikes + 1))


def _flush(stack: Stack) -> None:
    with redis.Redis.from_url(stack.house.valkey.url) as client:
        client.flushall()


def _kill(stack: Stack) -> None:
    """`kill -9` one dispatch worker; it is started again."""
    worker = stack.dispatchers()[0]
    worker.kill()
    worker.start()


def _restart(stack: Stack) -> None:
    """SIGTERM to one dispatch worker and a new one in its place, as a deployment does."""
    worker = stack.dispatchers()[0]
    worker.stop()
    worker.start()
    wait_for(worker, has_logged(worker, "worker_ready"))


def _forget_pace_of_redis_and_workers(stack: Stack) -> None:
    _flush(stack)
    _kill(stack)


FAULTS: dict[str, Callable[[Stack], None]] = {
    "flushall": _flush,
    "sigkill": _kill,
    "sigterm": _restart,
    "both": _forget_pace_of_redis_and_workers,
}
