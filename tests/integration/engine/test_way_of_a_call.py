"""One call from `scheduled` to its end, and the ways it may go wrong."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from campaigns.calls.outcomes import Outcome
from campaigns.providers.contract import FateUnknown, NotDialed, NotDialedKind

NEW_YORK = "+12125550101"
NEW_YORK_2 = "+12125550102"
UNKNOWN = FateUnknown("the connection was lost after the request")


def test_a_due_call_is_dialed_and_completed(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    assert world.state(call) == "in_progress"
    assert world.live_numbers() == {NEW_YORK: True}
    world.finish(call, Outcome.ANSWERED)
    assert (world.state(call), world.reason(call)) == ("completed", "answered")
    assert world.live_numbers() == {}


def test_the_attempt_is_committed_before_the_request_leaves(world):
    call = world.call(world.campaign(), NEW_YORK)
    seen = []

    def answer(request):
        seen.append(world.sql("SELECT id, state FROM attempts WHERE id = :id", id=request.attempt_id))
        return UNKNOWN

    world.provider.answer = answer
    world.dial_all()
    ((row,),) = seen
    assert row.state == "dialing"
    assert world.state(call) == "fate_unknown"


def test_a_message_delivered_five_times_dials_once(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    world.deliver(times=5)
    assert world.dials_by_number() == {NEW_YORK: 1}
    assert world.attempt_states(call) == ["in_progress"]


def test_a_message_of_an_older_epoch_claims_nothing(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    old = list(world.publisher.messages)
    world.pass_time(timedelta(seconds=16))
    world.rescue.run()
    assert world.state(call) == "scheduled"
    world.dial_all()
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    world.sql("UPDATE calls SET due_at = due_at - interval '3 hours'")
    world.feed.run("g")
    world.publisher.messages = old
    world.deliver()
    assert world.dials_by_number() == {NEW_YORK: 1}


def test_a_person_on_two_lists_is_not_called_while_a_call_is_live(world):
    first = world.call(world.campaign("one"), NEW_YORK)
    second = world.call(world.campaign("two"), NEW_YORK)
    world.dial_all()
    states = {world.state(first), world.state(second)}
    assert states == {"in_progress", "scheduled"}
    assert world.dials_by_number() == {NEW_YORK: 1}


def test_a_lost_message_costs_a_lease_and_no_call(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    world.publisher.messages.clear()
    world.pass_time(timedelta(seconds=16))
    world.rescue.run()
    world.dial_all()
    assert world.state(call) == "in_progress"


def test_a_call_without_consent_is_blocked_on_record_and_never_dialed(world):
    call = world.call(world.campaign(), NEW_YORK, consent=False)
    world.dial_all()
    assert (world.state(call), world.reason(call)) == ("blocked", "CONSENT-PEWC")
    assert world.provider.dials == []
    assert world.live_numbers() == {}
    assert world.one("SELECT rule_id FROM decisions WHERE call_id = :id", id=call) == "CONSENT-PEWC"


def test_every_permit_is_on_record_with_the_law_it_was_given_under(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    ((verdict, attempt, digest, zones),) = world.sql(
        "SELECT verdict, attempt_id, rules_digest, zones FROM decisions WHERE call_id = :id", id=call
    )
    assert (verdict, digest, zones) == ("permit", world.gate.rules_digest, ["America/New_York"])
    assert attempt == world.newest_attempt(call)


def test_a_refusal_that_time_cures_waits_for_the_next_opening(world):
    campaign = world.campaign()
    call = world.call(campaign, NEW_YORK)
    world.sql("UPDATE campaigns SET clock_campaign_at = '2026-12-03T03:00:00Z'")  # 22:00 in New York
    world.dial_all()
    assert world.state(call) == "scheduled"
    assert world.one("SELECT due_at FROM calls WHERE id = :id", id=call).isoformat() == "2026-12-03T13:00:00+00:00"
    assert world.provider.dials == []


def test_no_answer_climbs_the_ladder_to_its_end(world):
    campaign = world.campaign()
    call = world.call(campaign, NEW_YORK)
    waits = []
    for _ in range(3):
        world.sql("UPDATE calls SET due_at = '2026-12-02T00:00:00Z' WHERE state = 'scheduled'")
        world.dial_all()
        world.finish(call, Outcome.NO_ANSWER, retryable=True)
        waits.append((world.state(call), world.reason(call)))
    assert waits == [("scheduled", None), ("scheduled", None), ("exhausted", "no_answer")]
    assert world.one("SELECT attempts FROM calls WHERE id = :id", id=call) == 3


def test_a_try_that_surely_did_not_dial_spends_no_attempt(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.provider.answer = lambda request: NotDialed(NotDialedKind.NO_CONNECTION, "refused")
    world.dial_all()
    assert world.state(call) == "scheduled"
    assert world.one("SELECT attempts || '/' || requests FROM calls WHERE id = :id", id=call) == "0/1"
    assert world.attempt_states(call) == ["not_dialed"]
    assert world.live_numbers() == {}
    assert world.one("SELECT count(*) FROM attempts WHERE counts") == 0


def test_a_full_provider_spends_neither_attempt_nor_request(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.provider.answer = lambda request: NotDialed(NotDialedKind.CAPACITY, "full")
    world.dial_all()
    assert world.state(call) == "scheduled"
    assert world.one("SELECT attempts || '/' || requests FROM calls WHERE id = :id", id=call) == "0/0"
    assert world.feed.run("g").held_by == "cooling_down"


def test_a_paused_campaign_releases_nothing_and_a_queued_call_is_refused(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    world.sql("UPDATE campaigns SET state = 'paused'")
    world.deliver()
    assert world.provider.dials == []
    assert world.state(call) == "scheduled"
    assert world.feed.run("g").released == 0


def test_a_worker_with_other_rules_refuses_to_claim(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.sql("UPDATE system SET rules_digest = 'other'")
    world.dial_all()
    assert world.provider.dials == []
    assert world.state(call) == "scheduled"
    assert world.live_numbers() == {}


def test_a_refused_key_five_times_in_a_row_pauses_the_account(world):
    campaign = world.campaign()
    calls = [world.call(campaign, f"+1212555010{digit}") for digit in range(6)]
    world.provider.answer = lambda request: NotDialed(NotDialedKind.CREDENTIALS, "Invalid Key")
    world.dial_all()
    assert "Invalid Key" in world.one("SELECT paused_reason FROM accounts")
    assert {world.state(call) for call in calls} == {"scheduled"}
    assert world.feed.run("g").released == 0


def test_a_call_that_comes_back_to_a_cancelled_campaign_is_cancelled(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    world.sql("UPDATE campaigns SET state = 'cancelled'")
    world.pass_time(timedelta(seconds=16))
    world.rescue.run()
    world.rescue.run()
    assert (world.state(call), world.reason(call)) == ("cancelled", "campaign_cancelled")


def test_a_cancel_that_broke_off_is_carried_through_even_after_the_window(world):
    """The switch is committed before the first call is; its operator's machine may go down in between."""
    call = world.call(world.campaign(), NEW_YORK)
    world.sql("UPDATE campaigns SET state = 'cancelled'")
    world.sql("UPDATE runs SET earliest_at = '2026-01-01', latest_at = '2026-01-02'")
    world.rescue.run()
    assert (world.state(call), world.reason(call)) == ("cancelled", "campaign_cancelled")


def test_a_queued_call_of_a_cancelled_campaign_is_refused_at_claim(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    world.sql("UPDATE campaigns SET state = 'cancelled'")
    world.deliver()
    assert world.provider.dials == []
    assert world.state(call) == "cancelled"


def test_a_worker_that_does_not_know_the_account_claims_nothing(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    world.dispatch._providers = {}
    world.deliver()
    assert world.state(call) == "queued"
    assert world.attempt_states(call) == []


def test_a_worker_that_takes_a_simulator_for_a_real_provider_claims_nothing(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    world.dispatch._simulators = frozenset()  # its settings were renewed, the database's were not
    world.deliver()
    assert world.state(call) == "queued"
    assert world.provider.dials == []


def test_a_permit_that_lapsed_before_its_turn_leaves_no_byte_and_spends_nothing(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    # A claim that took longer than a permit lives: the turn is over, and the permit with it.
    clock = world.dispatch._clock
    world.claim._clock = lambda: clock() - 2
    world.deliver()
    assert world.provider.dials == []
    assert world.attempt_states(call) == ["not_dialed"]
    assert world.state(call) == "scheduled"
    assert world.one("SELECT attempts FROM calls WHERE id = :id", id=call) == 0
    assert world.one("SELECT count(*) FROM attempts WHERE counts") == 0


def test_a_missing_variable_fails_the_call_rather_than_speak_a_wrong_sentence(world):
    campaign = world.campaign()
    call = world.call(campaign, NEW_YORK)
    world.sql(
        """UPDATE campaign_versions SET definition = jsonb_set(definition, '{assistant,variables}',
            '{"plan": "{plan}"}')"""
    )
    world.dial_all()
    assert (world.state(call), world.reason(call)) == ("failed", "missing_variable")
    assert world.live_numbers() == {}
    assert world.provider.dials == []


def test_names_and_numbers_stay_out_of_database_errors(world):
    world.call(world.campaign(), NEW_YORK)
    with pytest.raises(DBAPIError) as error:
        world.sql("SELECT 1 / 0 FROM calls WHERE number = :number", number=NEW_YORK)
    assert NEW_YORK not in str(error.value)
