"""Poll and reconcile: one call or one account that cannot be asked must not keep the others from an end."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import FateUnknown, Listing, Phase, ProviderUnavailableError, Receipt

WEDNESDAY_NOON = datetime(2026, 12, 2, 17, 0, tzinfo=UTC)
"""What the campaign clock shows at first: 12:00 in New York."""

OVERDUE = timedelta(minutes=13)
ANSWERED = Verdict(Outcome.ANSWERED, retryable=False, counts=True)
UNKNOWN = FateUnknown("lost")


def numbers(count):
    return [f"+121255501{index:02d}" for index in range(count)]


@pytest.fixture
def three(world):
    """Three calls in progress, silent for too long."""
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(3)]
    world.dial_all()
    return calls


def test_one_call_that_cannot_be_fetched_keeps_no_other_from_its_end(world, three):
    first, second, third = three
    world.provider.listed = [world.report(call, Phase.REPORTED, ANSWERED) for call in three]
    broken = world.report(second, Phase.REPORTED).provider_call_id
    fetch = world.provider.fetch

    async def fetch_but_one(provider_call_id):
        if provider_call_id == broken:
            raise ProviderUnavailableError("the provider answered 500")
        return await fetch(provider_call_id)

    world.provider.fetch = fetch_but_one
    for _ in range(3):
        world.pass_time(OVERDUE)
        world.poll.run()
    assert [world.state(call) for call in (first, third)] == ["completed", "completed"]


def test_a_call_that_cannot_be_hung_up_keeps_no_other_from_its_end(world, three):
    first, second, third = three
    over = [world.report(call, Phase.REPORTED, ANSWERED) for call in (first, third)]
    world.provider.listed = [*over, world.report(second, Phase.CONNECTED)]

    async def no_control(provider_call_id):
        raise ProviderUnavailableError("the call has no control URL, so it cannot be ended from here")

    world.provider.end = no_control
    for _ in range(3):
        world.pass_time(timedelta(minutes=23))
        world.poll.run()
    assert [world.state(call) for call in (first, third)] == ["completed", "completed"]


def test_an_account_that_left_the_settings_keeps_no_other_from_being_polled(world, three):
    world.provider.listed = [world.report(call, Phase.REPORTED, ANSWERED) for call in three]
    # One look is due at an account that this process does not know (renamed, or another worker's).
    world.sql(
        """INSERT INTO accounts SELECT 'gone', provider, 'g3', simulator, concurrency, calls_per_second, ring_timeout,
            max_duration, reconcile_after, webhooks FROM accounts"""
    )
    world.sql("UPDATE accounts SET provider = provider WHERE name = 'sim'")  # so that `gone` comes first in the table
    world.sql("UPDATE attempts SET account = 'gone' WHERE call_id = :id", id=three.pop())
    for _ in range(3):
        world.pass_time(OVERDUE)
        world.poll.run()
    assert [world.state(call) for call in three] == ["completed", "completed"]


def test_an_account_that_left_the_settings_keeps_no_other_from_being_reconciled(world):
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(3)]
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.sql(
        """INSERT INTO accounts SELECT 'gone', provider, 'g3', simulator, concurrency, calls_per_second, ring_timeout,
            max_duration, reconcile_after, webhooks FROM accounts"""
    )
    world.sql("UPDATE accounts SET provider = provider WHERE name = 'sim'")  # so that `gone` comes first in the table
    world.sql("UPDATE attempts SET account = 'gone' WHERE call_id = :id", id=calls.pop())
    world.provider.listed = [world.report(call, Phase.CONNECTED) for call in calls]
    for _ in range(3):
        world.pass_time(timedelta(seconds=31))
        world.reconcile.run()
    assert [world.state(call) for call in calls] == ["in_progress", "in_progress"]


def test_one_fate_of_last_week_does_not_make_the_listing_a_week_long(world):
    spans = []

    async def list_calls(*, created_from, created_to):
        spans.append(created_to - created_from)
        return Listing([], complete=True)

    world.provider.list_calls = list_calls
    campaign = world.campaign()
    old, _ = (world.call(campaign, number) for number in numbers(2))
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.sql(
        "UPDATE attempts SET claimed_at = claimed_at - interval '7 days', send_by = send_by - interval '7 days' "
        "WHERE call_id = :id",
        id=old,
    )
    world.reconcile.run()
    assert spans
    assert max(spans) < timedelta(days=1)


def test_an_account_whose_clock_was_set_right_dials_again(world):
    """With no call in flight nothing else would be asked of the provider, and so nothing would show its clock."""
    call = world.call(world.campaign(), numbers(1)[0])
    world.sql("UPDATE accounts SET clock_skew = interval '-5 seconds'")  # as an answer's Date header showed it
    world.dial_all()
    assert (world.state(call), world.provider.dials) == ("scheduled", [])
    shown = [timedelta(seconds=-4), timedelta(0)]
    spans = []

    async def list_calls(*, created_from, created_to):
        spans.append(created_to - created_from)
        return Listing([], complete=True, clock_skew=shown[len(spans) - 1])

    world.provider.list_calls = list_calls
    for expected in ("scheduled", "in_progress"):
        world.poll.run()
        world.sql("UPDATE calls SET due_at = now() - interval '30 days' WHERE state = 'scheduled'")
        world.dial_all()
        assert world.state(call) == expected
    world.poll.run()
    assert spans == [timedelta(seconds=1)] * 2


def test_a_list_made_for_calls_in_flight_shows_the_clock_too(world):
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(5)]
    world.dial_all()

    async def list_calls(*, created_from, created_to):
        reports = [world.report(call, Phase.CONNECTED) for call in calls]
        return Listing(reports, complete=True, clock_skew=timedelta(seconds=7))

    world.provider.list_calls = list_calls
    world.pass_time(OVERDUE)
    world.poll.run()
    assert world.one("SELECT clock_skew FROM accounts") == timedelta(seconds=7)


def test_a_fate_that_comes_back_alive_holds_its_number_and_its_slot_again(world):
    call = world.call(world.campaign(), numbers(1)[0])
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.pass_time(OVERDUE)
    world.rescue.run()
    assert world.live_numbers() == {}
    world.provider.listed = [world.report(call, Phase.QUEUED)]  # the provider had kept it waiting for a slot
    world.reconcile.run()
    assert world.state(call) == "in_progress"
    assert world.live_numbers() == {numbers(1)[0]: True}


def test_a_call_that_the_provider_does_not_list_yet_is_not_given_up_at_once(world):
    world.sql("UPDATE accounts SET webhooks = false")
    call = world.call(world.campaign(), numbers(1)[0])
    world.dial_all()
    world.pass_time(timedelta(seconds=3))
    world.poll.run()  # GET /call/{id} answers 404: its replica is a second behind
    assert world.state(call) == "in_progress"


def test_a_call_that_the_provider_does_not_know_three_times_over_is_given_up(world):
    call = world.call(world.campaign(), numbers(1)[0])
    world.dial_all()
    for look in range(3):
        assert world.state(call) == "in_progress", look
        world.sql("UPDATE attempts SET check_at = now() - interval '1 second'")
        world.poll.run()
    assert (world.state(call), world.reason(call)) == ("failed", "unknown")


def test_an_endless_call_that_cannot_be_hung_up_gives_its_slot_back_and_raises_an_alarm(world):
    call = world.call(world.campaign(), numbers(1)[0])
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.CONNECTED)]

    async def no_control(provider_call_id):
        raise ProviderUnavailableError("the call has no control URL, so it cannot be ended from here")

    world.provider.end = no_control
    world.pass_time(timedelta(minutes=23))
    world.poll.run()
    assert (world.state(call), world.reason(call)) == ("failed", "unknown")
    assert world.live_numbers() == {}
    assert world.one("SELECT kind FROM alarms") == "call_never_ended"


def test_a_call_that_nobody_answers_for_comes_to_an_end_after_a_day(world):
    call = world.call(world.campaign(), numbers(1)[0])
    world.dial_all()
    world.provider.unavailable = True
    world.pass_time(timedelta(hours=23))
    world.poll.run()
    assert world.state(call) == "in_progress"
    world.pass_time(timedelta(hours=2))
    world.poll.run()
    assert world.state(call) == "in_progress"  # we may have been away for that day, and not the provider
    world.sql("UPDATE attempts SET absences = 119, check_at = now()")  # an hour of looks later
    world.poll.run()
    assert (world.state(call), world.reason(call)) == ("failed", "unknown")
    assert world.one("SELECT kind FROM alarms") == "call_never_answered_for"


def test_an_end_holds_its_number_until_the_provider_has_said_all(world):
    world.sql("UPDATE accounts SET webhooks = false")
    call = world.call(world.campaign(), numbers(1)[0])
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.ENDED, Verdict(Outcome.UNKNOWN, False, True))]
    world.pass_time(timedelta(seconds=3))
    world.poll.run()
    assert world.attempt_states(call) == ["ended"]
    no_answer = Verdict(Outcome.NO_ANSWER, True, True)
    world.provider.listed = [world.report(call, Phase.REPORTED, no_answer, ended_reason="customer-did-not-answer")]
    world.pass_time(timedelta(seconds=3))
    world.poll.run()
    assert world.state(call) == "scheduled"
    assert world.one("SELECT outcome FROM attempts") == "no_answer"


def test_more_silent_calls_than_a_pass_can_fetch_are_all_asked_after_in_the_next(world):
    """Calls of one time are listed; these were made an hour apart, so each has to be fetched."""
    campaign = world.campaign()
    calls = [world.call(campaign, number) for number in numbers(60)]
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.REPORTED, ANSWERED) for call in calls]
    world.sql(
        """UPDATE attempts SET check_at = now(), claimed_at = claimed_at - call_id * interval '1 hour',
            send_by = send_by - call_id * interval '1 hour'"""
    )
    assert world.poll.run().reports == 50
    assert world.poll.run().reports == 10
    assert {world.state(call) for call in calls} == {"completed"}


def test_a_redial_waits_for_a_report_that_has_come_in_and_is_not_applied_yet(world):
    call = world.call(world.campaign(ambiguous="redial"), numbers(1)[0])
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    report = world.report(call, Phase.REPORTED, ANSWERED)
    world.intake.accept("sim", Receipt("key", "end-of-call-report", report))
    for _ in range(3):
        world.reconcile.run()
    assert world.state(call) == "fate_unknown"
    world.inbox.process()
    assert world.state(call) == "completed"


def test_a_fate_that_comes_back_while_its_number_is_called_again_raises_an_alarm(world):
    (number,) = numbers(1)
    lost = world.call(world.campaign(), number)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.pass_time(OVERDUE)
    world.rescue.run()
    world.provider.answer = type(world.provider)().answer
    second = world.call(world.campaign("autumn", at=WEDNESDAY_NOON + timedelta(hours=2)), number)  # past the least gap
    world.dial_all()
    assert world.state(second) == "in_progress"
    world.provider.listed = [world.report(lost, Phase.CONNECTED)]
    world.reconcile.run()
    assert world.state(lost) == "in_progress"
    assert world.one("SELECT kind FROM alarms") == "two_calls_live"
