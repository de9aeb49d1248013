"""Calls handed over to a provider that dials them later: judged for the whole span, one answer each, nobody twice."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from campaigns.providers.contract import (
    CallReport,
    DialRequest,
    DialResult,
    FateUnknown,
    NotDialed,
    NotDialedKind,
    Phase,
    Placed,
)
from campaigns.services.ports import CallRef
from tests.integration.engine.holding import ANN, BEN, CID, NEW_YORK, Holding, wednesday_noon

LOS_ANGELES = "+12135550104"

# --- handing over ------------------------------------------------------------------------------------------------


def test_several_customers_travel_in_one_request_each_with_an_attempt_committed_before_it(holding: Holding) -> None:
    at = wednesday_noon()
    calls = holding.campaign(ANN, BEN, at=at)
    seen: list[Any] = []
    holding.provider.meanwhile = lambda: seen.extend(holding.world.sql("SELECT id, state FROM attempts ORDER BY id"))
    assert holding.schedule.run() == 2
    ((requests, span),) = holding.provider.handed
    assert sorted((request.attempt_id, "dialing") for request in requests) == sorted(map(tuple, seen))
    assert (span.due_from, span.due_until) == (at, at + timedelta(minutes=30))
    assert [holding.world.state(call) for call in calls] == ["in_progress", "in_progress"]
    attempt = holding.attempt(calls[0])
    assert (attempt.provider_due_from, attempt.provider_due_until) == (span.due_from, span.due_until)


def test_a_second_pass_hands_nothing_over_again(holding: Holding) -> None:
    holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    assert holding.schedule.run() == 0
    assert holding.provider.numbers == [ANN]


def test_the_span_ends_where_the_legal_window_closes_less_the_end_guard(holding: Holding) -> None:
    at = wednesday_noon()
    (call,) = holding.campaign(ANN, at=at, until=at + timedelta(hours=12))
    holding.schedule.run()
    ((_, span),) = holding.provider.handed
    closes = span.due_until.astimezone(NEW_YORK) + timedelta(seconds=60)
    assert (closes.minute, closes.second) == (0, 0)
    assert 17 <= closes.hour <= 21
    assert holding.attempt(call).provider_due_until == span.due_until


@pytest.mark.parametrize("hour", [3, 23])
def test_outside_the_hours_of_the_law_nothing_is_asked_and_the_refusal_is_on_record(
    holding: Holding, hour: int
) -> None:
    at = wednesday_noon().astimezone(NEW_YORK).replace(hour=hour).astimezone(UTC)
    (call,) = holding.campaign(ANN, at=at)
    holding.schedule.run()
    assert (holding.provider.handed, holding.world.live_numbers()) == ([], {})
    assert holding.world.state(call) == "expired"
    ((verdict, rule_id, judged_at),) = holding.world.sql("SELECT verdict, rule_id, campaign_at FROM decisions")
    assert (verdict, rule_id, judged_at) == ("refusal", holding.world.reason(call), at)


def test_a_consent_of_a_day_to_come_is_none_although_the_call_is_later_still(holding: Holding) -> None:
    at = wednesday_noon()
    (call,) = holding.campaign(ANN, at=at)
    holding.world.sql("ALTER TABLE consents DISABLE TRIGGER USER")
    holding.world.sql("UPDATE consents SET obtained_at = clock_timestamp() + interval '1 day'")
    holding.schedule.run()
    assert (holding.provider.handed, holding.world.state(call)) == ([], "blocked")
    assert holding.world.reason(call).startswith("CONSENT-")


@pytest.mark.parametrize("switch", ["stop", "pause"])
def test_nothing_is_handed_over_while_a_switch_says_no(holding: Holding, switch: str) -> None:
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    _ = holding.control().stop_all() if switch == "stop" else holding.control().pause("held")
    assert holding.schedule.run() == 0
    assert (holding.provider.handed, holding.world.state(call)) == ([], "scheduled")


def test_a_person_on_another_call_is_not_handed_over_and_the_others_are(holding: Holding) -> None:
    holding.world.call(holding.world.campaign(), ANN)
    holding.world.dial_all()
    ann, ben = holding.campaign(ANN, BEN, at=wednesday_noon())
    holding.schedule.run()
    assert (holding.world.state(ann), holding.world.reason(ann)) == ("failed", "number_busy")
    assert (holding.provider.numbers, holding.world.state(ben)) == ([BEN], "in_progress")


def test_the_feed_releases_no_such_call_and_a_stray_message_claims_none(holding: Holding) -> None:
    world, at = holding.world, datetime.now(UTC) - timedelta(minutes=1)
    (call,) = holding.campaign(ANN, at=at, until=at + timedelta(hours=20))
    assert world.feed.run("g").released == 0
    world.sql("UPDATE calls SET state = 'queued', lease_until = clock_timestamp() + interval '1 s', epoch = 1")
    world.sql("UPDATE calls SET line = 'line-1'")
    world.feed.run("g")
    assert world.publisher.messages == []
    campaign_id = world.one("SELECT campaign_id FROM calls WHERE id = :id", id=call)
    world.dispatch.run([CallRef(call, 1)], campaign_id=campaign_id, task_id="stray")
    assert (world.provider.dials, world.state(call), world.live_numbers()) == ([], "scheduled", {})


def test_requests_for_different_places_do_not_wait_for_each_others_answers(holding: Holding) -> None:
    """The permits of the later ones would lapse meanwhile, and what was not handed over is not tried again."""
    hand_over, asked = holding.provider.hand_over, list[asyncio.Event]()

    async def answers_once_all_are_asked(requests: Sequence[DialRequest], **options: Any) -> Mapping[UUID, DialResult]:
        mine = asyncio.Event()
        asked.append(mine)
        if len(asked) == 2:
            for each in asked:
                each.set()
        async with asyncio.timeout(5):
            await mine.wait()
        return await hand_over(requests, **options)

    holding.provider.hand_over = answers_once_all_are_asked  # type: ignore[method-assign]
    at = wednesday_noon()
    calls = holding.campaign(ANN, LOS_ANGELES, at=at, until=at + timedelta(hours=12))
    assert holding.schedule.run() == 2
    assert len(holding.provider.handed) == 2
    assert [holding.world.state(call) for call in calls] == ["in_progress", "in_progress"]


def test_a_turn_that_comes_within_the_next_second_is_waited_for(holding: Holding) -> None:
    """A pass that only looked would find each turn of a slow account taken by the campaigns that wait for it."""
    holding.world.sql("UPDATE accounts SET calls_per_second = 0.5")
    holding.world.sql("INSERT INTO pace (scope, next_at) VALUES ('account:g', clock_timestamp() + interval '1.2 s')")
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    assert holding.schedule.run() == 1
    assert holding.world.state(call) == "in_progress"


# --- answers -----------------------------------------------------------------------------------------------------


def test_each_customer_of_a_batch_ends_as_the_provider_says_of_that_one(holding: Holding) -> None:
    answers = {
        ANN: Placed("call-1"),
        BEN: NotDialed(NotDialedKind.INVALID_NUMBER, "no such number"),
        CID: FateUnknown("its answer does not name this customer"),
    }
    holding.provider.holds = lambda request: answers[request.number]
    ann, ben, cid = holding.campaign(ANN, BEN, CID, at=wednesday_noon())
    holding.schedule.run()
    assert [holding.world.state(call) for call in (ann, ben, cid)] == ["in_progress", "failed", "fate_unknown"]
    assert set(holding.world.live_numbers()) == {ANN, CID}
    assert holding.attempt(ben).detail == "invalid_number: no such number"


@pytest.mark.parametrize("kind", [NotDialedKind.RATE_LIMITED, NotDialedKind.NO_CONNECTION, NotDialedKind.CONFIG_ERROR])
def test_what_was_surely_not_handed_over_is_told_and_not_tried_again_by_itself(
    holding: Holding, kind: NotDialedKind
) -> None:
    holding.provider.holds = lambda request: NotDialed(kind, "no")
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    assert (holding.world.state(call), holding.world.reason(call)) == ("failed", "not_handed_over")
    holding.world.pass_time(timedelta(days=1))
    assert holding.schedule.run() == 0
    assert holding.provider.numbers == [ANN]


def test_after_a_lost_answer_every_customer_is_looked_for_and_found_by_our_id(holding: Holding) -> None:
    holding.provider.holds = lambda request: FateUnknown("the connection broke")
    calls = holding.campaign(ANN, BEN, at=wednesday_noon())
    holding.schedule.run()
    assert [holding.world.state(call) for call in calls] == ["fate_unknown", "fate_unknown"]
    for call in calls:
        attempt = holding.attempt(call)
        holding.world.provider.listed.append(CallReport(f"found-{attempt.id}", attempt.id, Phase.QUEUED))
    holding.world.reconcile.run()
    assert [holding.world.state(call) for call in calls] == ["in_progress", "in_progress"]
    assert len(holding.provider.numbers) == 2


def test_a_process_that_dies_after_the_claim_leaves_nobody_to_be_called_twice(holding: Holding) -> None:
    def die() -> None:
        raise RuntimeError("the process is gone")

    holding.provider.meanwhile = die
    calls = holding.campaign(ANN, BEN, at=wednesday_noon())
    holding.schedule.run()
    holding.provider.meanwhile = lambda: None
    assert holding.schedule.run() == 0
    holding.world.pass_time(timedelta(minutes=1))
    holding.world.rescue.run()
    assert [holding.world.state(call) for call in calls] == ["fate_unknown", "fate_unknown"]
    for _ in range(4):
        holding.world.reconcile.run()
        holding.schedule.run()
        holding.world.pass_time(timedelta(hours=1))
    assert [holding.world.state(call) for call in calls] == ["fate_unknown", "fate_unknown"]
    assert sorted(holding.provider.numbers) == [ANN, BEN]


def test_a_process_that_dies_before_the_claim_only_costs_a_lease(holding: Holding) -> None:
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.world.sql(
        "UPDATE calls SET state = 'queued', epoch = 1, line = 'line-1', lease_until = clock_timestamp() WHERE id = :id",
        id=call,
    )
    holding.world.rescue.run()
    assert holding.schedule.run() == 1
    assert holding.provider.numbers == [ANN]
