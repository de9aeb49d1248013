"""One call from `scheduled` to its end, and the ways it may go wrong."""

from datetime import timedelta

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.providers.contract import FateUnknown, NotDialed, NotDialedKind, Phase

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


def test_an_unknown_fate_is_never_dialed_again_by_itself(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    for _ in range(5):
        world.reconcile.run()
        world.rescue.run()
        world.dial_all()
    assert world.state(call) == "fate_unknown"
    assert world.dials_by_number() == {NEW_YORK: 1}
    assert world.one("SELECT needs_person FROM attempts") is True


def test_an_unknown_fate_that_the_provider_lists_is_adopted(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.CONNECTED)]
    world.reconcile.run()
    assert world.state(call) == "in_progress"
    world.finish(call, Outcome.ANSWERED)
    assert world.state(call) == "completed"


def test_one_listing_or_an_incomplete_one_proves_nothing(world):
    call = world.call(world.campaign(ambiguous="redial"), NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.provider.complete = False
    for _ in range(4):
        world.reconcile.run()
    world.provider.complete = True
    world.reconcile.run()
    assert world.state(call) == "fate_unknown"
    world.reconcile.run()
    assert world.state(call) == "scheduled"


def test_redial_is_a_new_attempt_and_the_old_one_still_counts_for_caps(world):
    call = world.call(world.campaign(ambiguous="redial"), NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    world.reconcile.run()
    world.reconcile.run()
    world.provider.answer = type(world.provider)().answer
    world.dial_all()
    assert world.attempt_states(call) == ["closed", "in_progress"]
    assert world.one("SELECT count(*) FROM attempts WHERE counts") == 2


def test_a_dial_that_fell_silent_becomes_an_unknown_fate_not_a_second_dial(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    world.claim.run(refs, campaign_id=campaign_id, task_id="t")  # and the worker dies here
    assert world.state(call) == "dialing"
    world.rescue.run()
    assert world.state(call) == "dialing"
    world.pass_time(timedelta(seconds=40))
    world.rescue.run()
    assert world.state(call) == "fate_unknown"
    world.dial_all()
    assert world.provider.dials == []


def test_our_own_late_answer_brings_an_unknown_fate_back(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    ((campaign_id, refs),) = world.publisher.messages
    claimed = world.claim.run(refs, campaign_id=campaign_id, task_id="t")
    world.pass_time(timedelta(seconds=40))
    world.rescue.run()
    from campaigns.providers.contract import Placed
    from campaigns.services.record import Fact

    world.recorder.run([Fact(claimed.calls[0].attempt_id, Placed("late"))])
    assert world.state(call) == "in_progress"


def test_after_latest_at_a_waiting_call_expires_and_an_unknown_fate_fails(world):
    campaign = world.campaign()
    lost = world.call(campaign, NEW_YORK)
    world.provider.answer = lambda request: UNKNOWN
    world.dial_all()
    waiting = world.call(campaign, NEW_YORK_2)
    world.sql("UPDATE runs SET latest_at = '2026-12-02T16:00:00Z'")
    world.rescue.run()
    assert (world.state(waiting), world.reason(waiting)) == ("expired", "latest_at")
    assert (world.state(lost), world.reason(lost)) == ("failed", "fate_unknown")
    world.rescue.run()
    assert world.one("SELECT state FROM runs") == "finished"


def test_an_ended_call_frees_its_slot_at_once_and_its_number_with_the_report(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.receive(world.report(call, Phase.ENDED))
    assert world.live_numbers() == {NEW_YORK: False}
    assert world.state(call) == "in_progress"
    assert "g" in world.publisher.feeds_requested
    world.finish(call, Outcome.ANSWERED)
    assert world.live_numbers() == {}


def test_reports_twice_late_and_out_of_order_make_one_outcome(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    final = world.report(call, Phase.REPORTED, Verdict(Outcome.NO_ANSWER, True, True))
    world.receive(final, key="a")
    world.receive(final, key="b")
    world.receive(world.report(call, Phase.RINGING), key="c")
    world.receive(world.report(call, Phase.ENDED), key="d")
    assert world.state(call) == "scheduled"
    assert world.one("SELECT attempts FROM calls WHERE id = :id", id=call) == 1
    assert world.one("SELECT count(*) FROM alarms") == 0


def test_a_second_provider_call_for_one_attempt_raises_an_alarm(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.receive(world.report(call, Phase.CONNECTED, provider_call_id="another"))
    assert world.one("SELECT kind FROM alarms") == "second_provider_call"


def test_a_report_of_a_call_that_is_not_ours_waits_and_never_makes_an_attempt(world):
    from uuid import uuid4

    from campaigns.providers.contract import CallReport

    world.receive(CallReport("foreign", uuid4(), Phase.REPORTED, Verdict(Outcome.ANSWERED, False, True)))
    assert world.one("SELECT state FROM inbox") == "unmatched"
    world.pass_time(timedelta(hours=25))
    world.inbox.process()
    assert world.one("SELECT state FROM inbox") == "foreign"
    assert world.one("SELECT count(*) FROM attempts") == 0


def test_a_person_who_picked_up_is_not_rung_again_for_the_providers_fault(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.receive(world.report(call, Phase.CONNECTED))
    world.finish(call, Outcome.PROVIDER_ERROR, retryable=True, counts=False)
    assert (world.state(call), world.reason(call)) == ("failed", "provider_error")


def test_lost_webhooks_are_made_good_by_polling(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.REPORTED, Verdict(Outcome.ANSWERED, False, True))]
    world.poll.run()
    assert world.state(call) == "in_progress"
    world.pass_time(timedelta(minutes=13))
    world.poll.run()
    assert world.state(call) == "completed"


def test_a_call_that_the_provider_never_ends_is_hung_up_and_its_slot_comes_free(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.CONNECTED)]
    world.pass_time(timedelta(minutes=23))
    world.poll.run()
    assert (world.state(call), world.reason(call)) == ("failed", "unknown")
    assert world.provider.ended == [f"call-{world.newest_attempt(call)}"]
    assert world.live_numbers() == {}


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


def test_refused_settings_five_times_in_a_row_pause_the_account(world):
    campaign = world.campaign()
    calls = [world.call(campaign, f"+1212555010{digit}") for digit in range(6)]
    world.provider.answer = lambda request: NotDialed(NotDialedKind.CONFIG_ERROR, "Invalid Key")
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


def test_a_permit_that_lapsed_before_its_turn_leaves_no_byte_and_spends_nothing(world):
    call = world.call(world.campaign(), NEW_YORK)
    world.feed.run("g")
    # Another process holds the account's time for longer than a permit lives, taken between our look and our turn.
    take = world.dispatch._pace.take
    world.dispatch._pace.take = lambda spacings, count: [at + 2 for at in take(spacings, count)]
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
    from sqlalchemy.exc import DBAPIError

    world.call(world.campaign(), NEW_YORK)
    try:
        world.sql("SELECT 1 / 0 FROM calls WHERE number = :number", number=NEW_YORK)
    except DBAPIError as error:
        assert NEW_YORK not in str(error)
    else:
        raise AssertionError("the statement should have failed")
