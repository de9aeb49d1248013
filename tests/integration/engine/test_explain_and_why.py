"""What an auditor reads of one number, and what an operator reads of what holds a call."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.services.control import UnknownCampaignError
from campaigns.services.explain import explain_number
from campaigns.services.seal import Seal
from campaigns.services.why import Why

NUMBER = "+12125550100"
SUNDAY_NIGHT = datetime(2026, 12, 7, 3, 0, tzinfo=UTC)


@pytest.fixture
def why(world):
    return Why(world.database, world.gate)


def explained(world, number=NUMBER):
    return explain_number(world.database, number, rules=world.gate.rules)


def untouched(world):
    return world.one(
        """SELECT (SELECT count(*) FROM decisions) + (SELECT count(*) FROM attempts) + (SELECT count(*) FROM live)
            + (SELECT count(*) FROM calls WHERE state <> 'scheduled')"""
    )


# --- explain ------------------------------------------------------------------------------------------------------


def test_everything_about_a_number_stands_in_the_order_of_time(world):
    campaign = world.campaign()
    call = world.call(campaign, NUMBER)
    world.dial_all()
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    world.sql(
        """INSERT INTO revocations (number, scope, effective_at, channel, words, recorded_by)
        VALUES (:number, 'all', clock_timestamp(), 'call', 'stop calling', 'test')""",
        number=NUMBER,
    )
    world.sql("UPDATE calls SET due_at = '2026-12-01', closes_at = '2026-12-12'")
    world.sql("UPDATE campaigns SET clock_campaign_at = '2027-01-01'::timestamptz - interval '25 days'")
    world.dial_all()
    Seal(world.database).run()
    events = explained(world)

    assert [event.at for event in events] == sorted(event.at for event in events)
    assert [event.kind for event in events] == [
        "consent",
        "listed",
        "decision",
        "attempt",
        "attempt_over",
        "revocation",
        "decision",
        "call_final",
    ]
    permit, refusal = (event for event in events if event.kind == "decision")
    assert (permit.details["verdict"], permit.details["ledger_seq"]) == ("permit", 1)
    assert (refusal.details["rule_id"], refusal.details["ledger_seq"]) == ("REV-ACTIVE", 2)
    assert refusal.details["citation"]
    assert "no_answer" in events[4].text


def test_lists_and_answers_about_the_number_are_events_too(world):
    world.sql(
        """INSERT INTO suppressions (number, list_name, source, added_by, removed_at, removed_by)
        VALUES (:number, 'internal', 'letter', 'ann', clock_timestamp(), 'bob')""",
        number=NUMBER,
    )
    world.sql(
        """INSERT INTO reassigned_answers (number, asked_since, answer, answered_at, source, recorded_by)
        VALUES (:number, '2026-09-01', 'no', '2026-11-01', 'RND', 'ann')""",
        number=NUMBER,
    )

    assert [event.kind for event in explained(world)] == ["reassigned_answer", "suppressed", "suppression_removed"]


def test_another_persons_events_stay_out(world):
    campaign = world.campaign()
    world.call(campaign, "+12125550199")
    world.dial_all()

    assert explained(world) == ()


def test_repeats_are_told_with_their_count(world):
    campaign = world.campaign(at=SUNDAY_NIGHT)
    world.call(campaign, NUMBER)
    for _ in range(3):
        world.sql("UPDATE calls SET due_at = '2026-12-01', closes_at = '2026-12-12'")
        world.dial_all()
    (repeats,) = [event for event in explained(world) if event.kind == "repeated_refusals"]

    assert (repeats.details["times"], repeats.details["rule_id"]) == (2, "HOURS-US")


# --- why: a campaign ----------------------------------------------------------------------------------------------


def test_a_campaign_that_may_dial_is_not_held_and_asking_changes_nothing(world, why):
    campaign = world.campaign()
    world.call(campaign, NUMBER)
    found = why.campaign("spring")

    assert found.holds == ()
    assert found.groups[0].gate.verdict == "permit"
    assert found.answer.startswith("not held")
    assert untouched(world) == 0


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE system SET stopped = true", "stopped"),
        ("UPDATE campaigns SET state = 'paused', state_reason = 'pause by ann'", "pause by ann"),
        ("UPDATE accounts SET paused_reason = 'wrong key'", "wrong key"),
        ("UPDATE accounts SET cooldown_until = clock_timestamp() + interval '1 hour'", "asked for a pause"),
        ("UPDATE system SET rules_digest = 'other'", "rules in force"),
        ("UPDATE campaigns SET dial_budget = 1, concurrency = NULL", None),
        ("UPDATE runs SET earliest_at = '2026-12-05'", "not begun"),
    ],
)
def test_what_holds_a_campaign_is_named(world, why, statement, words):
    campaign = world.campaign()
    world.call(campaign, NUMBER)
    world.sql(statement)
    found = why.campaign("spring")

    if words is None:
        assert found.holds == ()
    else:
        assert words in found.holds[0].what
        assert found.answer.startswith("held:")


def test_a_control_worker_that_lives_and_takes_no_tick_is_told(world, why):
    world.call(world.campaign(), NUMBER)
    world.rescue.run()
    assert not why.campaign("spring").holds
    world.sql("UPDATE consumption SET consumed_at = consumed_at - interval '31 seconds'")
    (hold,) = why.campaign("spring").holds
    assert "no worker has carried out a tick since" in hold.what


def test_a_pause_that_the_provider_asked_for_says_until_when(world, why):
    world.campaign()
    world.sql("UPDATE accounts SET cooldown_until = clock_timestamp() + interval '1 hour'")
    (hold,) = why.campaign("spring").holds

    assert hold.until > datetime.now(UTC) + timedelta(minutes=50)


def test_limits_in_full_use_are_named(world, why):
    campaign = world.campaign()
    for index in range(3):
        world.call(campaign, f"+1212555010{index}")
    world.sql("UPDATE accounts SET concurrency = 2")
    world.sql("UPDATE campaigns SET dial_budget = 2, concurrency = 2, line_daily_limit = 1")
    world.dial_all()
    held = " | ".join(hold.what for hold in why.campaign("spring").holds)

    assert "all 2 calls that account sim" in held
    assert "all 2 calls that the campaign" in held
    assert "budget" in held
    assert "every line" in held


def test_out_of_hours_the_gate_itself_says_the_rule_and_the_instant(world, why):
    campaign = world.campaign(at=SUNDAY_NIGHT)
    world.call(campaign, NUMBER)
    (group,) = why.campaign("spring").groups

    assert (group.waiting, group.gate.rule_id) == (1, "HOURS-US")
    assert group.gate.next_allowed_at == datetime(2026, 12, 7, 13, 0, tzinfo=UTC)
    assert "64.1200" in group.gate.citation


def test_a_finished_campaign_waits_for_nothing(world, why):
    campaign = world.campaign()
    call = world.call(campaign, NUMBER)
    world.dial_all()
    world.finish(call, Outcome.ANSWERED)

    assert why.campaign("spring").answer == "nothing waits: every call is final"


def test_an_unknown_campaign_is_refused_with_the_nearest(world, why):
    world.campaign()
    with pytest.raises(UnknownCampaignError, match="spring"):
        why.campaign("sprin")


# --- why: a number ------------------------------------------------------------------------------------------------


def test_a_number_on_a_call_is_held_by_it(world, why):
    campaign = world.campaign()
    world.call(campaign, NUMBER)
    world.dial_all()
    found = why.number(NUMBER)

    assert found.live["campaign"] == "spring"
    assert found.answer.startswith("on a call of spring")


def test_a_number_that_waits_is_told_with_what_the_gate_says(world, why):
    campaign = world.campaign(at=SUNDAY_NIGHT)
    world.call(campaign, NUMBER)
    found = why.number(NUMBER)

    assert (found.calls[0].campaign, found.calls[0].gate.rule_id) == ("spring", "HOURS-US")
    assert "until 2026-12-07T13:00:00" in found.answer
    assert found.last_refusal is None
    assert untouched(world) == 0


def test_a_number_that_was_refused_for_good_says_by_which_rule(world, why):
    campaign = world.campaign()
    world.call(campaign, NUMBER, consent=False)
    world.dial_all()
    found = why.number(NUMBER)

    assert (found.final[0]["state"], found.final[0]["reason"]) == ("blocked", "CONSENT-PEWC")
    assert found.last_refusal["rule_id"] == "CONSENT-PEWC"
    assert found.last_refusal["citation"]
    assert found.answer == "nothing waits: blocked, CONSENT-PEWC"


def test_a_number_nobody_knows_is_said_to_be_unknown(why):
    assert why.number("+12125550177").answer == "no call to this number is known"


def test_answers_are_plain_json(world, why):
    import json

    campaign = world.campaign(at=SUNDAY_NIGHT)
    world.call(campaign, NUMBER)
    world.dial_all()

    assert json.loads(json.dumps(why.campaign("spring").as_dict()))["groups"]
    assert json.loads(json.dumps(why.number(NUMBER).as_dict()))["last_refusal"]
    assert json.loads(json.dumps([event.as_dict() for event in explained(world)]))
