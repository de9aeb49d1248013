"""A database that came back from a backup dials no real person until it is known whom it forgot."""

from datetime import timedelta

import pytest

from campaigns.services.restored import REASON, Restored
from campaigns.store.claims import campaign_facts

NEW_YORK = "+12125550101"
ELSEWHERE = "7000000000000000001/00000001/16384/16390"
"""The identity that a backup from another cluster carries."""


@pytest.fixture
def real(world):
    """A campaign of an account that dials real people, with one call due."""
    campaign = world.campaign()
    world.call(campaign, NEW_YORK)
    Restored(world.database).run()  # the test's own database is a copy of a template
    world.sql(
        "UPDATE accounts SET simulator = false, unproven_reason = NULL, unproven_since = NULL, unproven_at = NULL"
    )
    return campaign


def comes_back(world):
    world.sql("UPDATE system SET identity = :identity", identity=ELSEWHERE)


def paused_reason(world, campaign):
    with world.database.begin() as connection:
        return campaign_facts(connection, campaign).paused_reason


def test_the_same_database_is_left_alone_however_often_it_is_looked_at(world, real):
    assert [Restored(world.database).run() for _ in range(3)] == [[], [], []]
    assert paused_reason(world, real) is None


@pytest.mark.parametrize(
    "other",
    [
        ELSEWHERE,
        "concat_ws('/', 'x', split_part(database_identity(), '/', 2))",
        "replace(database_identity(), '/00000001/', '/00000002/')",
        "regexp_replace(database_identity(), '[0-9]+$', '1')",
    ],
    ids=["another cluster", "another server", "another timeline", "tables made anew"],
)
def test_the_claim_itself_sees_a_database_that_is_not_the_one_that_wrote_the_record(world, real, other):
    expression = f"'{other}'" if other is ELSEWHERE else other
    world.sql(f"UPDATE system SET identity = {expression}")
    assert "restored" in paused_reason(world, real)


def test_every_real_account_waits_and_says_what_to_do_and_from_when(world, real):
    world.sql("UPDATE campaigns SET created_at = '2026-11-01T12:00:00Z'")
    comes_back(world)
    assert Restored(world.database).run() == ["sim"]
    assert paused_reason(world, real) == REASON
    assert world.one("SELECT unproven_since FROM accounts").isoformat() == "2026-11-01T12:00:00+00:00"
    assert world.sql("SELECT kind, detail FROM alarms") == [("database_restored", "sim")]
    assert Restored(world.database).run() == [], "the alarm is raised once"
    world.feed.run("g")
    assert world.publisher.messages == [], "nothing is released"


def test_what_has_to_be_looked_at_begins_an_hour_before_the_newest_attempt(world, real):
    world.sql("UPDATE accounts SET simulator = true")
    world.dial_all()
    world.sql("UPDATE accounts SET simulator = false")
    comes_back(world)
    Restored(world.database).run()
    assert world.one("SELECT a.unproven_since - t.claimed_at FROM accounts a, attempts t") == -timedelta(hours=1)


def test_the_earlier_hold_of_two_restores_counts(world, real):
    for day in ("2026-11-01", "2026-11-20"):
        world.sql("UPDATE campaigns SET created_at = :day", day=day)
        comes_back(world)
        Restored(world.database).run()
    assert world.one("SELECT unproven_since FROM accounts").isoformat() == "2026-11-01T00:00:00+00:00"


def test_a_rehearsal_and_an_account_without_campaigns_have_nothing_to_prove(world):
    world.campaign()
    world.sql(
        """INSERT INTO accounts (name, provider, limit_group, simulator, concurrency, calls_per_second,
            ring_timeout, max_duration, reconcile_after, webhooks)
        SELECT 'unused', provider, 'h', false, concurrency, calls_per_second, ring_timeout, max_duration,
            reconcile_after, webhooks FROM accounts"""
    )
    comes_back(world)
    assert Restored(world.database).run() == []


def test_no_switch_but_reconcile_lifts_it(world, real):
    from campaigns.services.control import Control

    comes_back(world)
    Restored(world.database).run()
    control = Control(world.database, operator="ann", wait=lambda duration: None)
    control.resume("spring")
    control.start()
    assert paused_reason(world, real) == REASON
