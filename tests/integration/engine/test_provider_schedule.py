"""Calls handed over to a provider that dials them later: judged for the whole span, cancelled when somebody says no."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.calls.permits import LIVE_MARGIN
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
from campaigns.providers.scheduling import ProviderSpan
from campaigns.services.ask_back import AskBack
from campaigns.services.control import Control
from campaigns.services.pace import Pace
from campaigns.services.ports import CallRef
from campaigns.services.provider_schedule import ProviderSchedule
from campaigns.services.revoke import Revoke
from tests.integration.engine.conftest import ScriptedProvider

ANN, BEN, CID = "+12125550101", "+12125550102", "+12125550103"
NEW_YORK = ZoneInfo("America/New_York")
LONGEST = timedelta(minutes=11) + LIVE_MARGIN
"""Ring time, longest call and margin of the world's account."""


def wednesday_noon() -> datetime:
    """In New York, at least two days from now."""
    local = datetime.now(NEW_YORK) + timedelta(days=2)
    local += timedelta(days=(2 - local.weekday()) % 7)
    return local.replace(hour=12, minute=0, second=0, microsecond=0).astimezone(UTC)


@dataclass
class HoldingProvider(ScriptedProvider):
    """Also holds calls until their time; `holds` says what becomes of each."""

    holds: Callable[[DialRequest], DialResult] = lambda request: Placed(f"call-{request.attempt_id}")
    handed: list[tuple[list[DialRequest], ProviderSpan]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    async def hand_over(self, requests: Sequence[DialRequest], *, span: ProviderSpan) -> Mapping[UUID, DialResult]:
        await requests[0].permit.turn()
        self.handed.append((list(requests), span))
        self.meanwhile()
        return {request.attempt_id: self.holds(request) for request in requests}

    @property
    def numbers(self) -> list[str]:
        return [request.number for requests, _ in self.handed for request in requests]


@dataclass
class Holding:
    """The world with a provider that holds calls."""

    world: Any
    provider: HoldingProvider
    schedule: ProviderSchedule
    run_async: Any

    def campaign(self, *numbers: str, at: datetime, until: datetime | None = None, **options: Any) -> list[int]:
        """A campaign to hand over, as `submit` and expansion leave it; returns its calls."""
        world, until = self.world, until or at + timedelta(minutes=30)
        campaign_id = world.campaign(options.pop("name", "held"), **options)
        world.sql(
            "UPDATE campaigns SET clock_campaign_at = NULL, clock_machine_at = NULL, clock_speed = 1 WHERE id = :id",
            id=campaign_id,
        )
        world.sql(
            """UPDATE runs SET earliest_at = :at, latest_at = :until + interval '60 s', provider_from = :at,
                provider_until = :until WHERE campaign_id = :id""",
            at=at,
            until=until,
            id=campaign_id,
        )
        calls = [world.call(campaign_id, number, consent=False) for number in numbers]
        for number in numbers:
            self.consent(number, obtained_at=datetime.now(UTC) - timedelta(days=30))
        return calls

    def consent(self, number: str, *, obtained_at: datetime) -> None:
        self.world.sql(
            """INSERT INTO consents (number, level, seller, obtained_at, source, recorded_by)
            VALUES (:number, 'pewc', 'Example Energy, Inc.', :at, 'form', 'test')""",
            number=number,
            at=obtained_at,
        )

    def attempt(self, call_id: int) -> Any:
        (row,) = self.world.sql("SELECT * FROM attempts WHERE call_id = :id", id=call_id)
        return row

    def bring_near(self, call_id: int, *, starts_in: timedelta) -> None:
        """Let time pass until a held call's span begins in so long."""
        self.world.sql(
            """UPDATE attempts SET provider_due_from = clock_timestamp() + CAST(:wait AS interval),
                provider_due_until = clock_timestamp() + CAST(:wait AS interval) + interval '30 min'
            WHERE call_id = :id""",
            wait=starts_in,
            id=call_id,
        )

    def says(self, call_id: int, phase: Phase) -> None:
        """What the provider answers when it is asked after this call."""
        attempt = self.attempt(call_id)
        self.provider.listed.append(CallReport(f"call-{attempt.id}", attempt.id, phase))

    def ask_back(self) -> int:
        return AskBack(self.world.database, {"sim": self.provider}, run_async=self.run_async).run()

    def control(self) -> Control:
        return Control(self.world.database, operator="ann", wait=lambda _: None)


@pytest.fixture
def holding(world: Any, run_async: Any) -> Holding:
    provider = HoldingProvider()
    schedule = ProviderSchedule(
        world.database,
        world.claim,
        Pace(world.database),
        {"sim": provider},
        world.recorder,
        world.publisher,
        simulators=frozenset({"sim"}),
        run_async=run_async,
        public_url=None,
    )
    return Holding(world, provider, schedule, run_async)


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


# --- limits ------------------------------------------------------------------------------------------------------


def test_no_more_are_handed_over_than_have_a_slot_at_that_time(holding: Holding) -> None:
    holding.world.sql("UPDATE accounts SET concurrency = 2")
    at = wednesday_noon()
    calls = holding.campaign(ANN, BEN, CID, at=at)
    for _ in range(2):
        holding.schedule.run()
    assert len(holding.provider.numbers) == 2
    assert [holding.world.state(call) for call in calls] == ["in_progress", "in_progress", "scheduled"]
    (later,) = holding.campaign("+12125550104", at=at + timedelta(minutes=30) + LONGEST, name="later")
    holding.schedule.run()
    assert holding.world.state(later) == "in_progress", "the earlier ones are surely over by then"


def test_held_calls_take_their_slot_when_the_longest_call_could_still_be_going_on(holding: Holding) -> None:
    world = holding.world
    world.sql("UPDATE accounts SET concurrency = 2")
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    assert world.live_numbers() == {ANN: False}
    holding.bring_near(call, starts_in=LONGEST - timedelta(seconds=5))
    spring = world.campaign()
    for number in (BEN, CID):
        world.call(spring, number)
    assert world.feed.run("g").released == 1
    assert world.live_numbers()[ANN]


def test_calls_going_on_now_count_against_a_span_that_begins_soon(holding: Holding) -> None:
    world = holding.world
    world.sql("UPDATE accounts SET concurrency = 1")
    world.call(world.campaign(), BEN)
    world.dial_all()
    soon = holding.campaign(ANN, at=datetime.now(UTC) + timedelta(minutes=1))[0]
    holding.schedule.run()
    assert world.state(soon) == "scheduled"
    late = holding.campaign(CID, at=wednesday_noon(), name="late")[0]
    holding.schedule.run()
    assert world.state(late) == "in_progress"


def test_a_line_with_a_daily_limit_gets_no_more_than_that(holding: Holding) -> None:
    calls = holding.campaign(ANN, BEN, CID, at=wednesday_noon())
    holding.world.sql("UPDATE campaigns SET line_daily_limit = 1")
    for _ in range(3):
        holding.schedule.run()
    assert sorted(holding.world.state(call) for call in calls) == ["in_progress", "in_progress", "scheduled"]
    assert {request.line for requests, _ in holding.provider.handed for request in requests} == {"line-1", "line-2"}


def test_a_slow_account_hands_over_slowly_and_spreads_the_times(holding: Holding) -> None:
    holding.world.sql("UPDATE accounts SET calls_per_second = 1")
    at = wednesday_noon()
    holding.campaign(ANN, BEN, at=at)
    assert holding.schedule.run() == 1
    holding.world.sql("DELETE FROM pace")
    assert holding.schedule.run() == 1
    assert [span.due_from - at for _, span in holding.provider.handed] == [timedelta(0), timedelta(seconds=1)]


# --- before their time -------------------------------------------------------------------------------------------


def test_a_held_call_locks_its_number_and_counts_for_the_other_campaigns_gap(holding: Holding) -> None:
    holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    call = holding.world.call(holding.world.campaign(), ANN)
    holding.world.dial_all()
    assert (holding.world.state(call), holding.world.provider.dials) == ("scheduled", [])


def test_before_its_time_a_held_call_is_neither_silent_nor_endless(holding: Holding) -> None:
    world = holding.world
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    holding.says(call, Phase.QUEUED)
    world.provider.listed = holding.provider.listed
    assert holding.attempt(call).check_at >= holding.attempt(call).provider_due_from
    world.pass_time(timedelta(hours=30))
    world.sql("UPDATE attempts SET check_at = clock_timestamp()")
    world.poll.run()
    world.rescue.run()
    assert (world.state(call), world.provider.ended, set(world.live_numbers())) == ("in_progress", [], {ANN})


def test_after_its_time_it_ends_like_any_call(holding: Holding) -> None:
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    holding.world.finish(call, Outcome.ANSWERED)
    assert (holding.world.state(call), holding.world.live_numbers()) == ("completed", {})


def test_a_revocation_before_its_time_cancels_it_at_the_provider(holding: Holding) -> None:
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    revoked = Revoke(holding.world.database, operator="ann", wait=lambda _: None).run(ANN)
    assert revoked.asked_back == 1
    holding.says(call, Phase.QUEUED)
    assert holding.ask_back() == 1
    assert holding.provider.ended == [f"call-{holding.attempt(call).id}"]
    holding.world.receive(holding.world.report(call, Phase.REPORTED, Verdict(Outcome.CANCELLED, False, False)))
    assert holding.world.state(call) == "cancelled"


@pytest.mark.parametrize("switch", ["pause", "cancel", "stop"])
def test_pause_cancel_and_stop_cancel_it_at_the_provider(holding: Holding, switch: str) -> None:
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    control = holding.control()
    acts = {"pause": lambda: control.pause("held"), "cancel": lambda: control.cancel("held"), "stop": control.stop_all}
    assert acts[switch]().asked_back == 1
    holding.says(call, Phase.QUEUED)
    assert holding.ask_back() == 1
    assert holding.provider.ended == [f"call-{holding.attempt(call).id}"]
    ((asked_by, settled_as),) = holding.world.sql("SELECT asked_by, settled_as FROM provider_cancels")
    assert (asked_by, settled_as) == ("ann", "cancelled")


def test_pausing_one_campaign_leaves_the_held_calls_of_others(holding: Holding) -> None:
    holding.campaign(ANN, at=wednesday_noon())
    holding.campaign(BEN, at=wednesday_noon(), name="other")
    holding.schedule.run()
    assert holding.control().pause("other").asked_back == 1
    assert holding.world.one("SELECT t.number FROM provider_cancels JOIN attempts t ON t.id = attempt_id") == BEN


def test_a_call_that_rings_already_is_left_alone(holding: Holding) -> None:
    (call,) = holding.campaign(ANN, at=wednesday_noon())
    holding.schedule.run()
    holding.control().stop_all()
    holding.says(call, Phase.RINGING)
    assert holding.ask_back() == 0
    assert holding.provider.ended == []
