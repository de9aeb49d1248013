"""What the provider sees: never more dials in a second than the limit, never more calls at once, whatever happens.

Two dispatch workers and three campaigns on one account; Valkey is emptied and a worker killed meanwhile, and in the
end the operator lowers both limits, one after the other.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from harness.campaign import area_codes, launch
from harness.stack import CALLS_PER_SECOND, CONCURRENCY, HOOKED, Stack
from harness.waiting import wait_until
from harness.witness import Dial

from campaigns.simulator.door import most_in_any_second

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

CAMPAIGNS = 3
FLUSHED_AFTER, KILLED_AFTER, SLOWED_AFTER, NARROWED_AFTER, ENOUGH = 40, 90, 130, 190, 220
"""Dials: three seconds at the first rate, six at the second, as long with few slots; nearly all are first tries."""
LOWER_RATE, LOWER_CONCURRENCY = 10, 4
"""A call takes about a second here, so either is the tighter one in its turn."""
SETTLED = 3.0
"""Seconds: permits live for one, and a dial that used one may lie with a busy simulator for a while."""
PATIENCE = timedelta(seconds=90)
LASTS = timedelta(minutes=3)
"""The windows: longer than a busy machine needs for `ENOUGH`."""
POLICY = "redial"
"""What the killed worker had claimed and not yet sent gives its slots back once the provider twice does not know of it.
On hold it would keep them until no call could be live any more, and there may be more of it than `LOWER_CONCURRENCY`:
nothing would be dialed for over a minute, and rightly."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the provider saw. Instants in seconds since the epoch."""

    creates: list[float]
    dials: list[Dial]
    slowed_at: float
    narrowed_at: float


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    with Stack(seed=11, with_door=True) as stack:
        stack.start_another(stack.dispatch)
        for number in range(CAMPAIGNS):
            codes = area_codes(number, of=CAMPAIGNS)
            launch(stack, name=f"limits-{number}", account=HOOKED, policy=POLICY, codes=codes, seed=number, lasts=LASTS)
        _wait_for_dials(stack, FLUSHED_AFTER)
        stack.flush_valkey()
        _wait_for_dials(stack, KILLED_AFTER)
        stack.dispatch.kill()
        stack.start(stack.dispatch)
        slowed_at = _change(stack, SLOWED_AFTER, "callsPerSecond", CALLS_PER_SECOND, LOWER_RATE)
        narrowed_at = _change(stack, NARROWED_AFTER, "concurrency", CONCURRENCY, LOWER_CONCURRENCY)
        _wait_for_dials(stack, ENOUGH)
        yield Seen(stack.arrived(), stack.witness.dials(), slowed_at, narrowed_at)


def _change(stack: Stack, after: int, limit: str, old: int, new: int) -> float:
    """Lower a limit after so many dials; returns when it was in force."""
    _wait_for_dials(stack, after)
    stack.change_settings(f"{limit} = {old}", f"{limit} = {new}")
    return time.time()


def _wait_for_dials(stack: Stack, count: int) -> None:
    wait_until(lambda: len(stack.arrived()) >= count, what=f"{count} dials", timeout=PATIENCE)


def test_no_second_has_more_dials_than_the_limit(seen: Seen) -> None:
    assert most_in_any_second(seen.creates) <= CALLS_PER_SECOND


def test_once_the_rate_is_lowered_no_second_has_more_dials_than_the_new_limit(seen: Seen) -> None:
    later = [at for at in seen.creates if at > seen.slowed_at + SETTLED]
    assert len(later) > LOWER_RATE
    assert most_in_any_second(later) <= LOWER_RATE


def test_once_the_concurrency_is_lowered_no_dial_finds_as_many_calls_in_flight_as_it_allows(seen: Seen) -> None:
    lives = [(_seconds(dial.created_at), _seconds(dial.ended_at)) for dial in seen.dials]
    later = [begins for begins, _ in lives if begins > seen.narrowed_at + SETTLED]
    in_flight = [sum(begins <= at < ends for begins, ends in lives) for at in later]
    assert later
    assert max(in_flight) <= LOWER_CONCURRENCY


def _seconds(instant: str | None) -> float:
    return datetime.fromisoformat(instant).timestamp() if instant else float("inf")
