"""The audit against the provider: each of its calls has one attempt, each attempt its call; the rest is told."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from campaigns.providers.contract import FateUnknown, Listing, ProviderUnavailableError
from campaigns.services.provider_audit import AuditSpanError, UnknownAuditAccountError
from tests.integration.engine.portal import HOUR, NEW_YORK, dialed


def test_a_day_on_which_all_is_well_is_explained_call_by_call(world, portal):
    for call in dialed(world, 5):
        portal.knows(call)
    result = portal.run()
    assert (result.calls, result.matched, result.explained, result.proves_all) == (5, 5, True, True)
    assert portal.alarms() == []


def test_a_call_on_our_line_that_no_attempt_explains_is_written_down_with_one_alarm(world, portal):
    dialed(world)
    portal.has("call-by-hand")
    for _ in range(2):
        result = portal.run()
        assert (result.strays, result.explained) == (1, False)
    assert portal.alarms().count("stray_call") == 1
    assert world.one("SELECT provider_call_id FROM stray_calls") == "call-by-hand"


def test_a_call_with_a_key_of_ours_that_the_record_forgot_is_a_stray_on_whatever_line(world, portal):
    dialed(world, 0)
    portal.has("forgotten", echo=uuid4(), line="line-of-a-forgotten-campaign")
    assert portal.run().new_strays == 1


def test_calls_to_us_and_on_other_peoples_lines_are_foreign_and_no_alarm(world, portal):
    dialed(world, 0)
    portal.has("somebody-rang-us", inbound=True)
    portal.has("another-team", line="their-line")
    portal.has("a-web-call", line=None)
    result = portal.run()
    assert (result.calls, result.foreign, result.explained) == (3, 3, True)
    assert portal.alarms() == []


def test_calls_of_another_account_of_ours_at_the_same_provider_are_explained(world, portal):
    """Two keys of one organisation list each other's calls."""
    (call,) = dialed(world)
    portal.knows(call)
    world.sql(
        """INSERT INTO accounts (name, provider, limit_group, simulator, concurrency, calls_per_second,
            ring_timeout, max_duration, reconcile_after, webhooks)
        SELECT 'sister', provider, 'h', simulator, concurrency, calls_per_second, ring_timeout, max_duration,
            reconcile_after, webhooks FROM accounts"""
    )
    world.sql("UPDATE attempts SET account = 'sister'")
    result = portal.run()
    assert (result.matched, result.strays, result.missing) == (1, 0, 0)


def test_a_second_call_for_one_attempt_is_a_double_dial_and_told_once(world, portal):
    (call,) = dialed(world)
    first = portal.knows(call)
    portal.knows(call, provider_call_id="call-again")
    results = [portal.run() for _ in range(2)]
    assert [result.strays for result in results] == [1, 1]
    assert portal.alarms() == ["second_provider_call"]
    assert world.sql("SELECT provider_call_id, attempt_id FROM stray_calls") == [("call-again", first.attempt_id)]


def test_a_lost_attempt_that_the_provider_knows_is_adopted(world, portal):
    (call,) = dialed(world, answer=lambda request: FateUnknown("lost"))
    portal.knows(call)
    result = portal.run()
    assert (result.found, result.held, result.matched, result.explained) == (1, 0, 1, True)
    assert world.state(call) == "completed"
    assert portal.run().found == 0, "the second audit has nothing left to find"


def test_a_lost_attempt_is_found_by_number_where_the_provider_keeps_no_key_of_ours(world, portal):
    (call,) = dialed(world, answer=lambda request: FateUnknown("lost"))
    report = portal.knows(call)
    portal.calls = [replace(report, attempt_id=None)]

    async def find(sought, *, created_from, created_to):
        mine = [replace(report, attempt_id=each.attempt_id) for each in sought if each.number == report.origin.number]
        return Listing(mine, complete=True)

    world.provider.find = find
    result = portal.run()
    assert (result.found, result.matched, result.strays) == (1, 1, 0)


def test_a_lost_attempt_that_the_provider_does_not_know_stays_held_and_nobody_redials_it(world, portal):
    (call,) = dialed(world, answer=lambda request: FateUnknown("lost"), ambiguous="redial")
    result = portal.run()
    assert (result.absent, result.held, result.explained) == (1, 1, False)
    assert world.state(call) == "fate_unknown"


def test_an_attempt_whose_call_the_provider_does_not_know_raises_one_alarm(world, portal):
    dialed(world)
    results = [portal.run() for _ in range(2)]
    assert [result.missing for result in results] == [1, 1]
    assert portal.alarms() == ["call_missing"]


def test_a_call_that_is_missing_from_the_list_only_is_not_missing(world, portal):
    (call,) = dialed(world)
    report = portal.knows(call)

    async def fetch(provider_call_id):
        return report

    portal.calls = []
    world.provider.fetch = fetch
    assert portal.run().missing == 0


def test_a_call_that_was_refused_and_made_all_the_same_is_adopted_with_its_alarm(world, portal):
    from campaigns.providers.contract import NotDialed, NotDialedKind

    (call,) = dialed(world, answer=lambda request: NotDialed(NotDialedKind.NO_CONNECTION, "refused"))
    portal.knows(call)
    assert portal.run().found == 1
    assert portal.alarms() == ["reported_but_not_dialed"]
    assert world.state(call) == "completed"


def test_calls_of_the_last_minutes_are_left_to_the_next_audit(world, portal):
    dialed(world, 0)
    portal.has("just-now", ago=timedelta(minutes=2))
    result = portal.run()
    assert (result.calls, result.strays) == (0, 0)


def test_a_busy_day_is_listed_in_shorter_stretches_and_each_call_counted_once(world, portal, monkeypatch):
    monkeypatch.setattr("campaigns.services.provider_audit.MANY", 3)
    monkeypatch.setattr("campaigns.services.provider_audit.FEW", 1)
    for call in dialed(world, 10):
        portal.knows(call)
    for n in range(40):
        portal.has(f"theirs-{n}", line="their-line", ago=timedelta(minutes=10 + n))
    result = portal.run()
    assert (result.calls, result.matched, result.foreign, result.missing) == (50, 10, 40, 0)
    lengths = [created_to - created_from for created_from, created_to in portal.spans]
    assert min(lengths) < timedelta(minutes=3), "ten attempts of one minute"
    assert max(lengths) <= timedelta(hours=1)


def test_a_list_that_is_not_complete_is_asked_for_in_parts_and_told_if_that_does_not_help(world, portal, monkeypatch):
    for call in dialed(world, 3):
        portal.knows(call)
    monkeypatch.setattr("campaigns.services.provider_audit.FEW", 2)
    portal.incomplete_above = timedelta(minutes=4)
    portal.run()
    lengths = [created_to - created_from for created_from, created_to in portal.spans]
    assert min(lengths) <= timedelta(minutes=4), "halved where it held too much"
    portal.incomplete_above = timedelta(0)
    result = portal.run(back=timedelta(minutes=6))
    assert result.gaps > 0
    assert not result.explained


def test_where_nothing_can_be_listed_each_call_is_asked_after_and_strays_stay_unseen(world, portal):
    world.provider.capabilities = replace(world.provider.capabilities, lists_calls=False)
    there, gone = dialed(world, 2)
    portal.knows(there)
    portal.has("call-by-hand")
    result = portal.run()
    assert portal.spans == []
    assert (result.missing, result.strays) == (1, 0)
    portal.knows(gone)
    again = portal.run()
    assert (again.explained, again.proves_all) == (True, False)


def test_one_that_the_provider_gives_no_answer_about_is_unproven_not_missing(world, portal):
    dialed(world)

    async def fetch(provider_call_id):
        raise ProviderUnavailableError("503")

    world.provider.fetch = fetch
    result = portal.run()
    assert (result.unproven, result.missing, result.explained) == (1, 0, False)


def test_a_span_without_anything_to_judge_and_an_unknown_account_are_told_so(world, portal):
    with pytest.raises(AuditSpanError, match="younger than 5 minutes"):
        portal.run(back=timedelta(minutes=1))
    with pytest.raises(UnknownAuditAccountError, match="'other'"):
        portal.audit.run("other", since=world.one("SELECT clock_timestamp()") - HOUR)


def test_a_stray_names_the_calls_that_still_wait_for_the_same_person(world, portal):
    waiting = world.call(world.campaign(), NEW_YORK)
    portal.has("forgotten", echo=uuid4(), number=NEW_YORK)
    portal.run()
    assert world.one("SELECT waiting_calls FROM stray_calls") == [waiting]


def test_a_live_call_without_a_time_is_left_to_the_audit_that_finds_it_dated(world, portal):
    dialed(world, 0)
    portal.has("talking")
    undated = replace(portal.calls[0], origin=replace(portal.calls[0].origin, created_at=None))

    async def list_calls(*, created_from, created_to):
        return Listing([undated], complete=True)

    world.provider.list_calls = list_calls
    assert portal.run().strays == 0


@pytest.mark.parametrize("written", ["+12025550100", "12025550100", "+1 (202) 555-0100"])
def test_a_line_is_ours_however_the_provider_writes_it(world, portal, written):
    world.campaign(lines=["+12025550100"])
    portal.has("call-by-hand", line=written)
    assert portal.run().strays == 1
