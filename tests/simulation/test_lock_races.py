"""Two connections at once: what the simulation leaves out, since there every transaction runs to its end by itself.

One transaction is held just before its commit. The other one is started and seen to wait for it in Postgres, or seen to
go by. Then the first one commits, or is rolled back.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.providers.contract import FateUnknown, Phase, Placed
from campaigns.services.machine_clock import monotonic
from campaigns.services.ports import CallRef
from campaigns.services.record import Fact, Recorder
from campaigns.services.rescue import Rescue
from campaigns.services.revoke import Revoke
from campaigns.store.engine import open_engine
from tests.integration.engine.conftest import World

ANN, BEN = "+12125550101", "+12125550102"
PATIENCE = 60.0
"""Seconds until a test gives up waiting for what it wants to see, on however busy a machine."""


class RolledBackError(Exception):
    """The held transaction fails instead of committing."""


class Side:
    """One of the two: the same services on connections of their own, whose next commit can be held."""

    def __init__(self, database_url: str) -> None:
        self.engine = open_engine(database_url)
        self.world = World(self.engine, _no_loop)
        self._held: Event | None = None
        self._go = Event()
        self._fails = False
        event.listen(self.engine, "connect", _be_patient)
        event.listen(self.engine, "commit", self._before_commit)

    def _before_commit(self, connection: Any) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.set()
            assert self._go.wait(PATIENCE), "nobody let the held transaction go on"
            if self._fails:
                raise RolledBackError

    @contextmanager
    def holding(self, act: Callable[[], Any], *, fails: bool = False) -> Iterator[Future[Any]]:
        """`act` has done all but its commit inside the block, and commits, or fails, when it is left."""
        held, self._fails = Event(), fails
        self._held = held
        self._go.clear()
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(act)
            try:
                assert held.wait(PATIENCE), running.exception() if running.done() else "it never came to its commit"
                yield running
            finally:
                self._go.set()
        if not fails:
            running.result()


def _be_patient(connection: Any, _: Any) -> None:
    """Whoever waits for a lock is to be seen waiting, and whoever holds one is to keep it."""
    connection.execute(f"SET lock_timeout = '{PATIENCE} s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{PATIENCE} s'")
    connection.commit()


def _no_loop(work: Any) -> Any:
    raise AssertionError("nothing is dialed here")


@pytest.fixture
def sides(database: Engine, database_url: str) -> Iterator[tuple[Side, Side]]:
    first, second = Side(database_url), Side(database_url)
    first.world.set_up()
    yield first, second
    first.engine.dispose()
    second.engine.dispose()


def waits(side: Side, running: Future[Any]) -> None:
    """Until Postgres says that somebody waits for a lock."""
    deadline = time.monotonic() + PATIENCE
    while not side.world.one("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
        assert not running.done(), "it did not wait"
        assert time.monotonic() < deadline, "it does not wait"


def queued(side: Side, *numbers: str) -> list[tuple[int, CallRef]]:
    """One campaign a number, each with one released call."""
    refs = []
    for place, number in enumerate(numbers):
        campaign_id = side.world.campaign(f"campaign-{place}")
        call_id = side.world.call(
            campaign_id, number, line="line-1", epoch=1, lease_until="2100-01-01T00:00:00Z", state="queued"
        )
        refs.append((campaign_id, CallRef(call_id, 1)))
    return refs


def claim(side: Side, campaign_id: int, ref: CallRef) -> Any:
    return side.world.claim.run([ref], campaign_id=campaign_id, task_id="task")


def states(side: Side) -> list[str]:
    return [row.state for row in side.world.sql("SELECT state FROM calls ORDER BY id")]


def test_of_two_feeds_the_second_waits_and_counts_what_the_first_released(sides: tuple[Side, Side]) -> None:
    first, second = sides
    campaign_id = first.world.campaign()
    for number in (ANN, BEN):
        first.world.call(campaign_id, number)
    first.world.sql("UPDATE accounts SET concurrency = 1")

    with ThreadPoolExecutor(1) as thread:
        with first.holding(lambda: first.world.feed.run("g")):
            other = thread.submit(second.world.feed.run, "g")
            waits(first, other)
        assert other.result().released == 0

    assert sorted(states(first)) == ["queued", "scheduled"]


def test_a_feed_after_one_that_was_rolled_back_releases_in_its_place(sides: tuple[Side, Side]) -> None:
    first, second = sides
    first.world.call(first.world.campaign(), ANN)

    with ThreadPoolExecutor(1) as thread:
        with first.holding(lambda: first.world.feed.run("g"), fails=True):
            other = thread.submit(second.world.feed.run, "g")
            waits(first, other)
        assert other.result().released == 1

    assert (first.world.publisher.messages, len(second.world.publisher.messages)) == ([], 1)


def test_two_claims_of_one_number_make_one_attempt(sides: tuple[Side, Side]) -> None:
    first, second = sides
    (one, ref), (two, other_ref) = queued(first, ANN, ANN)

    with ThreadPoolExecutor(1) as thread:
        with first.holding(lambda: claim(first, one, ref)) as running:
            other = thread.submit(claim, second, two, other_ref)
            waits(first, other)
        assert (len(running.result().calls), other.result().calls, other.result().returned) == (1, (), 1)

    assert states(first) == ["dialing", "scheduled"]
    assert first.world.one("SELECT count(*) FROM attempts") == 1


def test_a_claim_that_is_rolled_back_leaves_the_number_to_the_other(sides: tuple[Side, Side]) -> None:
    first, second = sides
    (one, ref), (two, other_ref) = queued(first, ANN, ANN)

    with ThreadPoolExecutor(1) as thread:
        with first.holding(lambda: claim(first, one, ref), fails=True) as running:
            other = thread.submit(claim, second, two, other_ref)
            waits(first, other)
        assert isinstance(running.exception(), RolledBackError)
        assert len(other.result().calls) == 1

    assert states(first) == ["queued", "dialing"]


def test_one_message_delivered_twice_at_once_is_claimed_once(sides: tuple[Side, Side]) -> None:
    first, second = sides
    ((campaign_id, ref),) = queued(first, ANN)

    with ThreadPoolExecutor(1) as thread:
        with first.holding(lambda: claim(first, campaign_id, ref)):
            other = thread.submit(claim, second, campaign_id, ref)
            waits(first, other)
        assert (other.result().calls, other.result().returned) == ((), 0)

    assert first.world.one("SELECT count(*) FROM attempts") == 1


def test_a_claim_under_way_cannot_send_once_revoke_has_returned(sides: tuple[Side, Side]) -> None:
    """The revocation commits while the claim, which does not see it, still holds its locks."""
    first, second = sides
    ((campaign_id, ref),) = queued(first, ANN)
    returns_at: list[float] = []

    def wait(duration: timedelta) -> None:
        returns_at.append(monotonic() + duration.total_seconds())

    with first.holding(lambda: claim(first, campaign_id, ref)) as running:
        Revoke(second.engine, operator="ann", wait=wait).run(ANN)

    (claimed,) = running.result().calls
    assert claimed.permit.lapses_at <= returns_at[0]
    assert returns_at[0] - claimed.permit.lapses_at <= PATIENCE + PERMIT_LIFETIME.total_seconds()


def test_a_claim_beside_an_uncommitted_revocation_cannot_send_once_it_returns(sides: tuple[Side, Side]) -> None:
    first, second = sides
    ((campaign_id, ref),) = queued(first, ANN)
    returns_at: list[float] = []

    def wait(duration: timedelta) -> None:
        returns_at.append(monotonic() + duration.total_seconds())

    with first.holding(lambda: Revoke(first.engine, operator="ann", wait=wait).run(ANN)):
        claimed = claim(second, campaign_id, ref)

    assert all(call.permit.lapses_at <= returns_at[0] for call in claimed.calls)


def test_a_claim_after_the_revocation_is_refused(sides: tuple[Side, Side]) -> None:
    first, second = sides
    ((campaign_id, ref),) = queued(first, ANN)

    Revoke(first.engine, operator="ann", wait=lambda _: None).run(ANN)

    assert claim(second, campaign_id, ref).calls == ()
    assert states(first) == ["blocked"]


def dialed(side: Side) -> tuple[int, Any]:
    """A call in progress with its attempt's id."""
    ((campaign_id, ref),) = queued(side, ANN)
    (claimed,) = claim(side, campaign_id, ref).calls
    return ref.call_id, claimed.attempt_id


def recorder(side: Side) -> Recorder:
    return side.world.recorder


def test_one_report_recorded_twice_at_once_makes_one_retry(sides: tuple[Side, Side]) -> None:
    first, second = sides
    call_id, attempt_id = dialed(first)
    recorder(first).run([Fact(attempt_id, Placed("call-1"))])
    report = first.world.report(
        call_id, Phase.REPORTED, Verdict(Outcome.NO_ANSWER, retryable=True, counts=True), provider_call_id="call-1"
    )

    with ThreadPoolExecutor(1) as thread:
        with first.holding(lambda: recorder(first).run([Fact(attempt_id, report)])):
            other = thread.submit(recorder(second).run, [Fact(attempt_id, report)])
            waits(first, other)
        other.result()

    assert first.world.sql("SELECT state, attempts, requests FROM calls") == [("scheduled", 1, 1)]
    assert first.world.attempt_states(call_id) == ["closed"]
    assert first.world.live_numbers() == {}


def rescue(side: Side) -> Rescue:
    return side.world.rescue


def test_rescue_beside_an_answer_that_is_being_written_leaves_the_call_in_progress(sides: tuple[Side, Side]) -> None:
    first, second = sides
    call_id, attempt_id = dialed(first)
    first.world.sql("UPDATE attempts SET check_at = clock_timestamp() - interval '1 s'")

    with ThreadPoolExecutor(1) as thread:
        with first.holding(lambda: recorder(first).run([Fact(attempt_id, Placed("call-1"))])):
            other = thread.submit(rescue(second).run)
            waits(first, other)
        other.result()

    assert (first.world.state(call_id), first.world.attempt_states(call_id)) == ("in_progress", ["in_progress"])
    assert first.world.live_numbers() == {ANN: True}


def test_an_answer_beside_a_rescue_ends_the_doubt(sides: tuple[Side, Side]) -> None:
    first, second = sides
    call_id, attempt_id = dialed(first)

    with ThreadPoolExecutor(1) as thread:
        with first.holding(lambda: recorder(first).run([Fact(attempt_id, FateUnknown("silent"))])):
            other = thread.submit(recorder(second).run, [Fact(attempt_id, Placed("call-1"))])
            waits(first, other)
        other.result()

    assert (first.world.state(call_id), first.world.attempt_states(call_id)) == ("in_progress", ["in_progress"])


def test_a_lease_that_is_being_returned_is_not_claimed(sides: tuple[Side, Side]) -> None:
    """The message comes at the very moment at which rescue takes its call back."""
    first, second = sides
    ((campaign_id, ref),) = queued(first, ANN)
    first.world.sql("UPDATE calls SET lease_until = clock_timestamp() - interval '1 s'")

    with ThreadPoolExecutor(1) as thread:
        with first.holding(rescue(first)._return_leases):  # of a pass's transactions this one
            other = thread.submit(claim, second, campaign_id, ref)
            waits(first, other)
        assert other.result().calls == ()

    assert states(first) == ["scheduled"]


def test_a_lease_that_is_being_claimed_is_not_returned(sides: tuple[Side, Side]) -> None:
    first, second = sides
    ((campaign_id, ref),) = queued(first, ANN)
    first.world.sql("UPDATE calls SET lease_until = clock_timestamp() - interval '1 s'")

    with first.holding(lambda: claim(first, campaign_id, ref)):
        assert rescue(second).run().leases == 0

    assert states(first) == ["dialing"]


def test_expanders_take_turns_by_a_lock_of_the_run(sides: tuple[Side, Side]) -> None:
    from campaigns.store.expansion import only_expander

    first, second = sides
    with only_expander(first.engine, 1) as mine, only_expander(second.engine, 1) as theirs:
        assert mine is not None
        assert theirs is None
    with only_expander(second.engine, 1) as theirs:
        assert theirs is not None
        assert theirs.execute(text("SELECT 1")).scalar_one() == 1
