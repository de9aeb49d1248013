"""The claim reads what is on record, whoever wrote it, and the gate's answer becomes the call's state."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from campaigns.calls.outcomes import Outcome, Verdict
from campaigns.compliance.facts import Purpose
from campaigns.compliance.law import law_for
from campaigns.providers.contract import Phase
from campaigns.runtime.law import gatekeeper
from campaigns.services.approvals import approve_emergency
from campaigns.services.evidence import CAP_MEMORY
from campaigns.services.rulings import RecordRuling
from campaigns.store.claims import lock_people

NOON = datetime(2026, 12, 2, 17, tzinfo=UTC)
"""Wednesday noon in New York, as the world's clock shows it."""
NEW_YORK, NEVADA, MISSISSIPPI, WASHINGTON, LOUISIANA = (
    "+12125550101", "+17025550101", "+16015550101", "+12065550101", "+15045550101",
)  # fmt: skip


def customer(world: Any, call_id: int, **columns: Any) -> None:
    for column, value in columns.items():
        world.sql(f"UPDATE customers SET {column} = :value WHERE id = :id", value=value, id=call_id)


def purpose(world: Any, campaign_id: int, purpose: str, **keys: Any) -> None:
    """Change the stored definition, as if the campaign had been submitted so."""
    changes = json.dumps({"purpose": purpose, **keys})
    world.sql(
        "UPDATE campaign_versions SET definition = definition || CAST(:changes AS jsonb) WHERE campaign_id = :id",
        changes=changes,
        id=campaign_id,
    )


def earlier_attempt(world: Any, call_id: int, ago: timedelta, **columns: Any) -> None:
    """A counted attempt of that call which is over."""
    world.sql(
        """INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
            campaign_at, claimed_at, send_by, outcome, closed_at)
        SELECT gen_random_uuid(), c.id, 1 + (SELECT count(*) FROM attempts t WHERE t.call_id = c.id), c.run_id,
            c.campaign_id, 'sim', c.number, 'line-1', 0, 'closed', :at, :at, :at, 'no_answer', :at
        FROM calls c WHERE c.id = :id""",
        id=call_id,
        at=NOON - ago,
    )
    for column, value in columns.items():
        world.sql(
            f"UPDATE attempts SET {column} = :value WHERE id = "
            "(SELECT id FROM attempts WHERE call_id = :id ORDER BY attempt_no DESC LIMIT 1)",
            value=value,
            id=call_id,
        )


def finished_call(world: Any, campaign_id: int, number: str) -> int:
    """A call that is over, for attempts to belong to."""
    call_id: int = world.call(campaign_id, number)
    world.sql(
        "UPDATE calls SET state = 'exhausted', reason = 'test', final_at = :at WHERE id = :id", id=call_id, at=NOON
    )
    return call_id


def answer(world: Any, call_id: int) -> str | None:
    """The rule of the call's newest decision; None: a permit."""
    rule: str | None = world.one(
        "SELECT rule_id FROM decisions WHERE call_id = :id ORDER BY id DESC LIMIT 1", id=call_id
    )
    return rule


def test_attempts_count_for_the_person_on_whatever_phone(world: Any) -> None:
    first, second = world.campaign("first"), world.campaign("second")
    mobile = finished_call(world, first, "+13055550101")
    home = world.call(second, "+13055550102")
    stranger = world.call(second, "+13055550103")
    for call_id in (mobile, home):
        customer(world, call_id, person="p-1")
    for hours in (2, 3, 4):
        earlier_attempt(world, mobile, timedelta(hours=hours), person="p-1")
    world.dial_all()
    assert answer(world, home) == "FREQ-US-FL-24H"
    assert world.state(home) == "scheduled"
    assert answer(world, stranger) is None


def test_person_and_debt_are_on_record_with_the_attempt(world: Any) -> None:
    call_id = world.call(world.campaign(), NEW_YORK)
    customer(world, call_id, person="p-1", debt="d-1")
    world.dial_all()
    assert world.sql("SELECT person, debt FROM attempts") == [("p-1", "d-1")]


def test_two_phones_of_one_person_never_take_the_last_attempt_of_a_cap_together(world: Any) -> None:
    """Another worker is about to commit an attempt to the person's other phone: this claim waits for it."""
    old = finished_call(world, world.campaign("old"), "+13055550103")
    for hours in (2, 3):
        earlier_attempt(world, old, timedelta(hours=hours), person="p-1")
    home = world.call(world.campaign("new"), "+13055550102")
    customer(world, home, person="p-1")
    world.feed.run("g")
    with ThreadPoolExecutor(1) as worker:
        with world.database.begin() as other:
            lock_people(other, ["p-1"])
            claim = worker.submit(world.deliver)
            while not (claim.done() or world.one("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                pass  # until it waits, or has gone on without waiting
            other.execute(LAST_ATTEMPT, {"id": old, "at": NOON - timedelta(hours=1)})
        claim.result()
    assert world.provider.dials == []
    assert answer(world, home) == "FREQ-US-FL-24H"


LAST_ATTEMPT = text(
    """INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
        campaign_at, claimed_at, send_by, person)
    SELECT gen_random_uuid(), id, 9, run_id, campaign_id, 'sim', number, 'line-1', 0, 'dialing', :at, :at, :at, 'p-1'
    FROM calls WHERE id = :id"""
)


def test_a_collector_counts_attempts_on_the_debt_and_waits_after_a_conversation(world: Any) -> None:
    collect = world.campaign("collect")
    purpose(world, collect, "debt_collection")
    spent, other, talked = (world.call(collect, f"+121255501{n:02}") for n in range(3))
    earlier = finished_call(world, world.campaign("before"), "+12125550199")
    for number, (call_id, debt) in enumerate(((spent, "d-1"), (other, "d-2"))):
        customer(world, call_id, person=f"p-{number}", debt=debt)
        for hours in range(5, 12):
            earlier_attempt(world, earlier, timedelta(hours=hours), person=f"p-{number}", debt="d-1")
    customer(world, talked, person="p-talked", debt="d-3")
    earlier_attempt(
        world, earlier, timedelta(days=2), person="p-talked", debt="d-3", outcome="answered", duration=timedelta(0)
    )
    world.dial_all()
    assert [answer(world, each) for each in (spent, other, talked)] == ["FREQ-US-REGF-7D", None, "FREQ-US-REGF-TALK"]


@pytest.mark.parametrize(("campaign", "rule"), [({}, None), ({"minGap": "4h"}, "POL-GAP")])
def test_a_campaign_may_keep_more_distance_from_others_than_the_policy_asks_for(
    world: Any, campaign: dict[str, str], rule: str | None
) -> None:
    earlier_attempt(world, finished_call(world, world.campaign("before"), NEW_YORK), timedelta(hours=2))
    campaign_id = world.campaign("after")
    purpose(world, campaign_id, "telemarketing", **campaign)
    call_id = world.call(campaign_id, NEW_YORK)
    world.dial_all()
    assert answer(world, call_id) == rule
    if rule:
        waits_until = world.one("SELECT due_at FROM calls WHERE id = :id", id=call_id)
        assert waits_until == NOON + timedelta(hours=2)


def test_nobody_in_nevada_who_hung_up_is_called_again(world: Any) -> None:
    earlier = finished_call(world, world.campaign("before"), NEVADA)
    earlier_attempt(world, earlier, timedelta(days=300), hung_up=True)
    call_id = world.call(world.campaign("after"), NEVADA)
    world.dial_all()
    assert (answer(world, call_id), world.state(call_id)) == ("HANGUP-US-NV", "blocked")


@pytest.mark.parametrize(("seconds", "hung_up"), [(12, True), (300, False)])
def test_a_person_who_ends_the_call_at_once_has_hung_up_and_one_who_talked_has_not(
    world: Any, seconds: int, hung_up: bool
) -> None:
    call_id = world.call(world.campaign(), NEVADA)
    world.dial_all()
    ended = {"verdict": Verdict(Outcome.ANSWERED, False, True), "ended_by_customer": True}
    # The first word of the end comes without a duration.
    world.receive(world.report(call_id, Phase.ENDED, **ended), key="1")
    world.receive(world.report(call_id, Phase.REPORTED, duration=timedelta(seconds=seconds), **ended), key="2")
    assert world.one("SELECT hung_up FROM attempts") is hung_up
    again = world.call(world.campaign("again", at=NOON + timedelta(days=1)), NEVADA)
    world.dial_all()
    assert answer(world, again) == ("HANGUP-US-NV" if hung_up else None)


def test_a_purchase_on_the_list_makes_a_customer_where_the_law_wants_one(world: Any) -> None:
    campaign_id = world.campaign()
    known, unknown = world.call(campaign_id, MISSISSIPPI), world.call(campaign_id, "+16015550102")
    customer(world, known, ebr_transaction_at=NOON - timedelta(days=300))
    world.dial_all()
    assert (answer(world, known), answer(world, unknown)) == (None, "STATE-AIVOICE-US-MS")


def test_a_residential_exemption_on_the_list_stands_in_for_consent(world: Any) -> None:
    campaign_id = world.campaign()
    purpose(world, campaign_id, "informational")
    call_id = world.call(campaign_id, NEW_YORK, consent=False)
    customer(world, call_id, line_type="landline", exemption="residential_informational")
    world.dial_all()
    assert answer(world, call_id) is None


@pytest.mark.parametrize(("answered", "rule"), [("yes", "RND-REASSIGNED"), ("no", None)])
def test_answers_of_the_reassigned_numbers_database_are_applied(world: Any, answered: str, rule: str | None) -> None:
    call_id = world.call(world.campaign(), NEW_YORK)
    world.sql(
        """INSERT INTO reassigned_answers (number, asked_since, answer, answered_at, source, recorded_by)
        VALUES (:number, '2026-09-01', :answer, '2026-11-20T00:00:00Z', 'file', 'test')""",
        number=NEW_YORK,
        answer=answered,
    )
    world.dial_all()
    assert answer(world, call_id) == rule


@pytest.mark.parametrize("column", ["expires_at", "artificial_voice"])
def test_a_consent_on_record_that_ended_or_names_no_artificial_voice_is_none(world: Any, column: str) -> None:
    call_id = world.call(world.campaign(), NEW_YORK, consent=False)
    world.sql(
        f"""INSERT INTO consents (number, level, seller, obtained_at, source, recorded_by, {column})
        VALUES (:number, 'pewc', 'Example Energy, Inc.', '2026-09-01', 'form', 'test', :value)""",
        number=NEW_YORK,
        value=NOON if column == "expires_at" else False,
    )
    world.dial_all()
    assert answer(world, call_id) == "CONSENT-PEWC"


@pytest.fixture
def ruling(world: Any) -> Iterator[RecordRuling]:
    waits: list[timedelta] = []
    yield RecordRuling(world.database, world.gate.rules, operator="ann", wait=waits.append)
    assert all(wait == timedelta(seconds=1) for wait in waits)


def test_counsels_newest_decision_is_the_one_that_holds(world: Any, ruling: RecordRuling) -> None:
    campaign_id = world.campaign()
    ruling.on_ai_voice("US-WA", allow=True, reason="counsel, letter of 1 November")
    allowed = world.call(campaign_id, WASHINGTON)
    world.dial_all()
    ruling.on_ai_voice("us-wa", allow=False, reason="counsel changed their mind")
    refused = world.call(campaign_id, "+12065550102")
    world.dial_all()
    assert (answer(world, allowed), answer(world, refused)) == (None, "STATE-AIVOICE-US-WA")


def test_a_declared_emergency_stops_sales_until_it_is_lifted(world: Any, ruling: RecordRuling) -> None:
    campaign_id = world.campaign()
    ruling.on_emergency("US-LA", declared=True, reason="notice of the commission")
    stopped = world.call(campaign_id, LOUISIANA)
    world.dial_all()
    ruling.on_emergency("US-LA", declared=False, reason="notice withdrawn")
    called = world.call(campaign_id, "+15045550102")
    world.dial_all()
    assert (answer(world, stopped), answer(world, called)) == ("EMERG-US-LA", None)


def test_an_emergency_waits_for_a_second_person_and_then_dials(world: Any) -> None:
    campaign_id = world.campaign()
    purpose(world, campaign_id, "emergency")
    call_id = world.call(campaign_id, NEW_YORK, consent=False)
    world.dial_all()
    assert (answer(world, call_id), world.state(call_id)) == ("CAMPAIGN-APPROVAL", "scheduled")
    assert world.provider.dials == []
    # The submitter's own name on record, however it came there, is no second person.
    world.sql(
        """INSERT INTO approvals (version_id, subject, reason, recorded_by)
        SELECT id, 'emergency', 'mine', ' TEST ' FROM campaign_versions"""
    )
    world.set_campaign_clock(campaign_id, NOON + timedelta(minutes=2))
    world.dial_all()
    assert world.provider.dials == []
    approve_emergency(world.database, "spring", reason="gas leak", operator="ben")
    world.set_campaign_clock(campaign_id, NOON + timedelta(minutes=4))
    world.dial_all()
    assert (answer(world, call_id), len(world.provider.dials)) == (None, 1)


def test_what_the_gate_was_told_of_a_person_is_on_record_with_the_decision(world: Any) -> None:
    call_id = world.call(world.campaign(), MISSISSIPPI)
    customer(world, call_id, ebr_inquiry_at=NOON - timedelta(days=10))
    world.dial_all()
    facts = world.one("SELECT facts FROM decisions WHERE call_id = :id", id=call_id)
    assert facts["relationship"] == {"inquiry_at": (NOON - timedelta(days=10)).isoformat()}


def test_no_cap_looks_further_back_than_attempts_are_read() -> None:
    rules = gatekeeper().rules
    keys = tuple(rules.jurisdictions)
    laws = [law_for(rules, keys, purpose) for purpose in Purpose]
    longest = max(cap.window for law in laws for cap in (*law.caps, *law.exempt_caps))
    assert longest < CAP_MEMORY
