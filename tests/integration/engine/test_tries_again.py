"""A call that is tried again: through the whole gate, from the same line, in the same words, and not for ever."""

from typing import Any

import pytest

from campaigns.calls.ladder import MAX_REQUESTS
from campaigns.calls.outcomes import Outcome
from campaigns.providers.contract import NotDialed, NotDialedKind

ANN = "+13055550101"
"""In Florida, where the law allows three calls in 24 hours."""
TWO_MORE_CALLS = """
    INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
        campaign_at, claimed_at, send_by, outcome, closed_at)
    SELECT gen_random_uuid(), call_id, attempt_no + n, run_id, campaign_id, account, number, line, epoch, state,
        campaign_at, claimed_at, send_by, outcome, closed_at FROM attempts, generate_series(1, 2) n
"""


def not_reached(world: Any) -> int:
    """A call whose first attempt nobody answered."""
    call: int = world.call(world.campaign(), ANN)
    world.dial_all()
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    return call


def let_hours_pass(world: Any) -> None:
    """The rung's two hours, and one more, on the campaign's clock."""
    world.sql("UPDATE campaigns SET clock_campaign_at = clock_campaign_at + interval '3 hours'")


@pytest.mark.parametrize(
    ("meanwhile", "state"),
    [
        (
            "INSERT INTO suppressions (number, list_name, source, added_by) VALUES (:number, 'internal', 'x', 'ann')",
            "blocked",
        ),
        (
            """INSERT INTO revocations (number, scope, effective_at, channel, words, recorded_by)
            VALUES (:number, 'all', now(), 'call', 'stop', 'ann')""",
            "blocked",
        ),
        ("UPDATE campaigns SET state = 'paused'", "scheduled"),
        ("UPDATE system SET stopped = true", "scheduled"),
        ("UPDATE runs SET latest_at = '2026-12-02T18:00:00Z'", "expired"),
        (TWO_MORE_CALLS, "scheduled"),
    ],
    ids=["suppressed", "revoked", "paused", "stopped", "window over", "called too often"],
)
def test_what_forbids_a_first_attempt_forbids_the_next_one(world: Any, meanwhile: str, state: str) -> None:
    call = not_reached(world)
    let_hours_pass(world)
    world.feed.run("g")
    assert world.state(call) == "queued"
    values = {"number": ANN} if ":number" in meanwhile else {}
    world.sql(meanwhile, **values)
    world.deliver()
    assert world.dials_by_number() == {ANN: 1}
    assert world.state(call) == state


def test_without_anything_against_it_the_next_attempt_is_made(world: Any) -> None:
    not_reached(world)
    let_hours_pass(world)
    world.dial_all()
    assert world.dials_by_number() == {ANN: 2}


def test_the_next_attempt_shows_the_same_number_and_says_the_same_words(world: Any) -> None:
    not_reached(world)
    let_hours_pass(world)
    world.dial_all()
    first, second = world.provider.dials
    assert second.attempt_id != first.attempt_id
    for said in ("number", "line", "assistant", "customer_name", "external_id", "webhook", "voicemail_action"):
        assert getattr(second, said) == getattr(first, said), said


def test_a_call_that_never_gets_through_ends_after_the_most_requests(world: Any) -> None:
    call = world.call(world.campaign(), ANN)
    world.provider.answer = lambda request: NotDialed(NotDialedKind.NO_CONNECTION, "refused")
    for _ in range(MAX_REQUESTS + 3):
        world.sql("UPDATE accounts SET cooldown_until = NULL")
        world.sql("UPDATE calls SET due_at = '2026-12-02T00:00:00Z' WHERE state = 'scheduled'")
        world.dial_all()
    assert (world.state(call), world.reason(call)) == ("failed", "too_many_requests")
    assert len(world.provider.dials) == MAX_REQUESTS
    assert world.one("SELECT count(*) FROM attempts WHERE counts") == 0


@pytest.mark.parametrize("kind", [NotDialedKind.NO_CONNECTION, NotDialedKind.CAPACITY, NotDialedKind.RATE_LIMITED])
def test_a_call_that_was_not_placed_is_not_picked_up_again_at_once(world: Any, kind: NotDialedKind) -> None:
    world.call(world.campaign(), ANN)
    world.provider.answer = lambda request: NotDialed(kind, "no")
    world.dial_all()
    world.sql("UPDATE accounts SET cooldown_until = NULL")
    assert world.feed.run("g").released == 0


@pytest.mark.parametrize(
    "obstacle",
    [
        "INSERT INTO live (number, attempt_id, call_id, campaign_id, limit_group, hold_until) "
        "SELECT number, gen_random_uuid(), 0, campaign_id, 'other', now() + interval '1 hour' FROM calls",
        "UPDATE system SET rules_digest = 'other'",
        "UPDATE campaigns SET clock_campaign_at = '2026-12-03T03:00:00Z'",
    ],
    ids=["on another call", "other rules", "outside the hours"],
)
def test_a_call_that_was_put_off_is_not_picked_up_again_at_once(world: Any, obstacle: str) -> None:
    call = world.call(world.campaign(), ANN)
    world.feed.run("g")
    world.sql(obstacle)
    world.deliver()
    assert world.state(call) == "scheduled"
    assert world.feed.run("g").released == 0
