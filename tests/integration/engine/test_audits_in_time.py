"""Audits of every day, and the one after a restore, which lets accounts dial again."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from campaigns.services.daily_audit import DailyAudit
from campaigns.services.restored import Restored, lift
from tests.integration.engine.portal import HOUR, dialed

# --- every day -------------------------------------------------------------------------------------------------------


@pytest.fixture
def daily(world, portal):
    return DailyAudit(world.database, portal.audit, {"sim": world.provider}, simulators=frozenset({"sim"}))


def make_due(world):
    world.sql("UPDATE accounts SET audit_due_at = clock_timestamp()")


def test_an_account_is_audited_once_a_day_however_often_beat_ticks(world, portal, daily):
    dialed(world, 0)
    assert daily.run() is None, "the first audit comes a day after the account"
    make_due(world)
    portal.has("call-by-hand")
    assert daily.run().strays == 1
    assert [daily.run() for _ in range(3)] == [None] * 3
    assert world.one("SELECT audit_due_at > clock_timestamp() + interval '23 hours' FROM accounts")


def test_days_on_which_nobody_looked_are_made_good(world, portal, daily):
    dialed(world, 0)
    make_due(world)
    world.sql("UPDATE accounts SET audited_until = clock_timestamp() - interval '5 days'")
    portal.has("of-last-week", ago=timedelta(days=4))
    assert daily.run().strays == 1


def test_a_provider_that_was_away_is_asked_again_in_an_hour_and_nothing_counts_as_seen(world, portal, daily):
    dialed(world, 0)
    make_due(world)
    world.provider.unavailable = True
    assert daily.run() is None
    assert world.one("SELECT audited_until FROM accounts") is None
    assert world.one("SELECT audit_due_at < clock_timestamp() + interval '2 hours' FROM accounts")


def test_time_that_cannot_be_listed_yet_is_looked_at_again_the_next_day(world, portal, daily):
    dialed(world, 0)
    make_due(world)
    portal.incomplete_above = timedelta(minutes=50)  # the last, longer stretches
    result = daily.run()
    assert result.gaps > 0
    assert result.since <= result.proven_until < result.until
    assert world.one("SELECT audited_until FROM accounts") == result.proven_until


def test_an_account_without_campaigns_is_not_asked(world, portal, daily):
    make_due(world)
    assert daily.run() is None
    assert portal.spans == []


# --- after a restore -------------------------------------------------------------------------------------------------


@pytest.fixture
def held(world, portal):
    """A restored database whose account was held ten minutes ago, for calls since three hours."""
    world.campaign()
    world.sql("UPDATE accounts SET simulator = false")
    portal.audit = portal.audit_of(simulators=frozenset())
    world.sql("UPDATE campaigns SET created_at = clock_timestamp() - interval '3 hours'")
    world.sql("UPDATE system SET identity = 'elsewhere'")
    Restored(world.database).run()
    world.sql("UPDATE accounts SET unproven_at = unproven_at - interval '10 minutes'")
    return portal


def is_held(world):
    return world.one("SELECT unproven_reason IS NOT NULL FROM accounts")


def lifted(world, result, *, accept_strays=False):
    return lift(world.database, result, operator="ann", accept_strays=accept_strays)


def test_an_account_whose_calls_are_all_explained_dials_again(world, held):
    assert lifted(world, held.run(back=4 * HOUR)).why_not is None
    assert not is_held(world)
    assert world.sql("SELECT operator, action, subject FROM operations") == [("ann", "lift hold", "sim")]


def test_a_look_that_begins_too_late_lifts_nothing_and_says_from_when(world, held):
    answer = lifted(world, held.run(back=HOUR))
    assert "it has to be looked at from" in answer.why_not
    assert is_held(world)


def test_calls_that_are_too_young_to_be_judged_lift_nothing(world, held):
    world.sql("UPDATE accounts SET unproven_at = clock_timestamp()")
    answer = lifted(world, held.run(back=4 * HOUR), accept_strays=True)
    assert "run this again after" in answer.why_not
    assert is_held(world)


def test_a_call_that_the_backup_forgot_holds_the_account_until_a_person_accepts_it(world, held):
    held.has("forgotten", echo=uuid4())
    assert "unexplained" in lifted(world, held.run(back=4 * HOUR)).why_not
    assert is_held(world)
    assert lifted(world, held.run(back=4 * HOUR), accept_strays=True).why_not is None
    assert not is_held(world)


def test_where_nothing_can_be_listed_only_a_person_lifts_it(world, held):
    world.provider.capabilities = replace(world.provider.capabilities, lists_calls=False)
    assert "lists no calls" in lifted(world, held.run(back=4 * HOUR)).why_not
    assert lifted(world, held.run(back=4 * HOUR), accept_strays=True).why_not is None


def test_an_account_that_is_not_held_has_nothing_to_lift(world, portal):
    dialed(world, 0)
    assert lifted(world, portal.run()).held is False
