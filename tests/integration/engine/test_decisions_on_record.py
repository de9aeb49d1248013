"""What a decision leaves behind: every input of the gate, no name and no number, and no heap of repeats."""

import json
from datetime import UTC, datetime, timedelta

from campaigns.calls.outcomes import Outcome
from campaigns.services.audit import Audit
from campaigns.services.on_record import engine_version
from campaigns.services.seal import Seal

NUMBER = "+12125550100"
SUNDAY_NIGHT = datetime(2026, 12, 7, 3, 0, tzinfo=UTC)


def decisions(world):
    return world.sql("SELECT * FROM decisions ORDER BY id")


def ask_again(world, call_id):
    """Let the call come due at once and be fed, as after its wait."""
    world.sql("UPDATE calls SET due_at = '2026-12-01', closes_at = '2026-12-12' WHERE id = :id", id=call_id)
    world.dial_all()


def test_a_permit_keeps_all_that_the_gate_was_told(world):
    campaign = world.campaign()
    call = world.call(campaign, NUMBER)
    world.sql("UPDATE customers SET zip = '10001', state = 'NY', line_type = 'mobile', person = 'P-17', debt = 'D-4'")
    world.dial_all()
    (permit,) = decisions(world)
    facts = permit.facts

    assert (permit.call_id, permit.verdict) == (call, "permit")
    assert (facts["evidence"]["state"], facts["evidence"]["zip"], facts["line_type"]) == ("NY", "10001", "mobile")
    (consent,) = facts["consents"]
    assert (consent["id"], consent["level"]) == (permit.consent_id, "pewc")
    assert consent.keys() >= {"seller", "purpose", "obtained_at", "source"}
    assert facts["plan"]["purpose"] == "telemarketing"
    assert facts["plan"]["seller"] == "Example Energy, Inc."
    assert facts["clock"] == {"skew_seconds": 0.0, "rehearsal_speed": 1.0}
    assert facts["engine"] == engine_version()
    assert (permit.rules_digest, permit.tzdata_version) == (world.gate.rules_digest, world.gate.tzdata_version)


def test_no_number_name_or_person_is_on_the_record(world):
    campaign = world.campaign()
    world.call(campaign, NUMBER)
    world.sql("UPDATE customers SET person = 'P-17', debt = 'D-4'")
    world.dial_all()
    record = world.one("SELECT to_jsonb(d)::text FROM decisions d")

    assert not [secret for secret in (NUMBER, NUMBER[2:], "Ann", "P-17", "D-4") if secret in record]


def test_earlier_attempts_and_revocations_are_on_record(world):
    campaign = world.campaign()
    call = world.call(campaign, NUMBER)
    world.dial_all()
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    revocation = world.one(
        """INSERT INTO revocations (number, scope, effective_at, channel, recorded_by)
        VALUES (:number, 'all', '2026-12-02T17:00:01Z', 'call', 'test') RETURNING id""",
        number=NUMBER,
    )
    ask_again(world, call)
    refusal = decisions(world)[-1]

    assert (refusal.verdict, refusal.rule_id) == ("refusal", "REV-ACTIVE")
    assert refusal.facts["revocations"] == [
        {"id": revocation, "scope": "all", "scope_value": None, "effective_at": "2026-12-02T17:00:01+00:00"}
    ]
    assert len(refusal.facts["attempts"]) == len(refusal.facts["own_attempts"]) == 1


def test_a_refusal_repeated_until_the_same_instant_is_only_counted(world):
    campaign = world.campaign(at=SUNDAY_NIGHT)
    call = world.call(campaign, NUMBER)
    for _ in range(4):
        ask_again(world, call)
    (refusal,) = decisions(world)
    (repeats,) = world.sql("SELECT * FROM repeated_refusals")

    assert refusal.rule_id == repeats.rule_id == "HOURS-US"
    assert (repeats.call_id, repeats.times, repeats.next_allowed_at) == (call, 3, refusal.next_allowed_at)
    assert world.state(call) == "scheduled"


def test_another_instant_or_another_rule_is_a_decision_of_its_own(world):
    campaign = world.campaign(at=SUNDAY_NIGHT)
    call = world.call(campaign, NUMBER)
    ask_again(world, call)
    world.set_campaign_clock(campaign, SUNDAY_NIGHT + timedelta(days=1))
    ask_again(world, call)
    world.sql("DELETE FROM repeated_refusals")
    assert [row.rule_id for row in decisions(world)] == ["HOURS-US", "HOURS-US"]

    world.sql(
        """INSERT INTO suppressions (number, list_name, source, added_by)
        VALUES (:number, 'internal', 'test', 'test')""",
        number=NUMBER,
    )
    ask_again(world, call)
    assert [row.rule_id for row in decisions(world)][-1] == "DNC-INTERNAL"
    assert world.one("SELECT count(*) FROM repeated_refusals") == 0


def test_new_rules_make_a_new_decision_of_the_same_refusal(world):
    campaign = world.campaign(at=SUNDAY_NIGHT)
    call = world.call(campaign, NUMBER)
    ask_again(world, call)
    world.sql("SET LOCAL session_replication_role = replica; UPDATE decisions SET rules_digest = 'older'")
    ask_again(world, call)

    assert len(decisions(world)) == 2


def test_the_same_cause_that_only_a_person_ends_is_counted_and_another_cause_is_decided(world):
    campaign = world.campaign(at=SUNDAY_NIGHT.replace(hour=17))
    call = world.call(campaign, NUMBER)

    def ask_while(reason):
        world.sql("UPDATE calls SET due_at = '2026-12-01', closes_at = '2026-12-12' WHERE id = :id", id=call)
        world.feed.run("g")
        world.sql("UPDATE accounts SET paused_reason = :reason", reason=reason)
        world.deliver()
        world.sql("UPDATE accounts SET paused_reason = NULL")

    for reason in ("wrong key", "wrong key", "wrong key", "no money"):
        ask_while(reason)

    assert [row.rule_id for row in decisions(world)] == ["CAMPAIGN-HALTED", "CAMPAIGN-HALTED"]
    assert world.one("SELECT times FROM repeated_refusals") == 2


def test_real_decisions_are_sealed_and_verified(world):
    campaign = world.campaign()
    for index in range(20):
        world.call(campaign, f"+121255501{index:02d}", consent=index % 2 == 0)
    world.dial_all()
    Seal(world.database).run()
    found = Audit(world.database).verify()

    assert (found.intact, found.sealed, found.unsealed) == (True, 20, 0)
    assert len(json.dumps(decisions(world)[0].facts)) < 1500, "the record stays small"
