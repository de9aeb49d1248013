"""What a pass of the feed reads does not grow with what lies in the tables around it."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from campaigns.services.feed import FOLDED_FROM
from campaigns.services.why import Why
from campaigns.store import feed as rows
from campaigns.store.handed_over import waiting_calls, waiting_runs
from tests.integration.engine.plans import generic_plan_of, plan_of, read_whole, rows_thrown_away, statements_of

LARGE = frozenset({"calls", "attempts", "live"})
"""Tables that grow with the work."""
SMALL_INDEXES = frozenset({"calls_queued", "live_slots", "attempts_handed_over"})
"""Partial indexes that hold no more than what is in flight, or held by a provider, at the moment."""

FEW = 50
"""Rows that a statement may read in vain: no more than the forty calls that are released here, and their like."""

FILL = """
    WITH people AS (
        INSERT INTO customers (run_id, row_number, number, restriction)
        SELECT r.id, n, '+1' || 2000000000 + r.id * 10000000 + n, 0
        FROM runs r, generate_series(1, :count) n WHERE r.campaign_id = :campaign
        RETURNING id, run_id, row_number, number
    )
    INSERT INTO calls (id, run_id, campaign_id, group_id, number, state, reason, final_at, due_at, closes_at)
    SELECT p.id, p.run_id, :campaign, g.id, p.number, CAST(:state AS text),
        CASE WHEN :state <> 'scheduled' THEN 'answered' END,
        CASE WHEN :state <> 'scheduled' THEN clock_timestamp() END,
        CASE WHEN p.row_number % 3 = 0 THEN r.earliest_at WHEN p.row_number % 3 = 1 THEN r.latest_at - interval '9 h'
            ELSE r.earliest_at + interval '1 h' END,
        CASE WHEN p.row_number % 3 = 0 THEN r.earliest_at + interval '2 h' ELSE r.latest_at - interval '1 h' END
    FROM people p JOIN runs r ON r.id = p.run_id JOIN zone_groups g ON g.run_id = p.run_id
"""
"""A third each has lapsed, is due, and is due on the last day."""
ATTEMPTS = """
    INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
        campaign_at, claimed_at, send_by, outcome, closed_at)
    SELECT gen_random_uuid(), q.id, 1, q.run_id, q.campaign_id, 'sim', q.number, 'line-1', 1, 'closed',
        t.at, t.at, t.at, 'answered', t.at
    FROM calls q, LATERAL (SELECT clock_timestamp() AS at) t WHERE q.campaign_id = :campaign
"""
LIVE = """
    INSERT INTO live (number, attempt_id, call_id, campaign_id, limit_group, holds_slot, hold_until)
    SELECT '+44' || 7000000000 + n, gen_random_uuid(), n, :campaign, 'g', n % 50 = 0,
        clock_timestamp() + interval '10 min' FROM generate_series(1, 6000) n
"""


@pytest.fixture
def full(world):
    """A waiting, a paused and a finished campaign, and numbers held for reports that are still awaited."""
    waiting, paused, done = (
        world.campaign("waiting", dial_budget=9000, line_daily_limit=9000),
        world.campaign("paused", state="paused"),
        world.campaign("done"),
    )
    for campaign, state in ((waiting, "scheduled"), (paused, "scheduled"), (done, "completed")):
        world.sql(FILL, campaign=campaign, state=state, count=6000)
    world.sql(ATTEMPTS, campaign=done)
    world.sql(LIVE, campaign=done)
    world.sql("UPDATE runs SET state = 'finished' WHERE campaign_id = :done", done=done)
    world.sql("UPDATE accounts SET concurrency = 160")  # 120 slots are taken
    world.sql("ANALYZE")
    return world


def test_no_pass_of_the_feed_reads_calls_attempts_or_live_from_end_to_end(full):
    with statements_of(full.database) as statements:
        assert full.feed.limit_groups() == ["g"]
        assert full.feed.run("g").released == 40
        full.publisher.messages.clear()  # lost, so that the next pass looks for them
        full.feed.run("g")
    assert len(statements) > 10
    for statement, parameters in statements:
        plan = plan_of(full.database, statement, parameters, run=True)
        prepared = generic_plan_of(full.database, statement)
        assert not read_whole(plan, LARGE, small=SMALL_INDEXES), statement
        assert not read_whole(prepared, LARGE, small=SMALL_INDEXES), statement
        assert sum(rows_thrown_away(plan, table) for table in LARGE) <= FEW, statement


def test_no_look_for_calls_to_hand_over_reads_attempts_or_calls_from_end_to_end(full):
    held = full.campaign("held")
    full.sql("UPDATE runs SET provider_from = earliest_at, provider_until = latest_at WHERE campaign_id = :id", id=held)
    full.sql(FILL, campaign=held, state="scheduled", count=3)
    with statements_of(full.database) as statements, full.database.begin() as connection:
        (run,) = waiting_runs(connection)
        assert len(waiting_calls(connection, run.run_id, most=5)) == 3
    for statement, parameters in statements:
        assert not read_whole(plan_of(full.database, statement, parameters), LARGE, small=frozenset())


def test_calls_whose_opening_has_lapsed_are_stepped_over_and_not_read(full):
    campaign_at = full.one("SELECT earliest_at + interval '5 h' FROM runs WHERE state = 'active' LIMIT 1")
    campaign = full.one("SELECT id FROM campaigns WHERE name = 'waiting'")
    with statements_of(full.database) as statements, full.database.begin() as connection:
        due = rows.due_calls(connection, campaign_id=campaign, campaign_at=campaign_at, most=10)
    assert len(due) == 10
    ((statement, parameters),) = statements
    assert rows_thrown_away(plan_of(full.database, statement, parameters, run=True), "calls") == 0


def test_a_tick_asks_no_further_while_nothing_is_due(world):
    campaign = world.campaign()
    call = world.call(campaign, "+12125550101")
    world.sql("UPDATE calls SET due_at = closes_at - interval '1 hour'")
    assert world.feed.limit_groups() == []
    world.sql("UPDATE calls SET due_at = '2026-12-02T00:00:00Z'")
    assert world.feed.limit_groups() == ["g"]
    world.feed.run("g")
    assert world.state(call) == "queued"
    assert world.feed.limit_groups() == ["g"], "its message may be lost"
    world.deliver()
    assert world.feed.limit_groups() == []


def test_a_tick_still_looks_after_calls_that_their_provider_holds(world):
    world.campaign()
    world.sql("UPDATE runs SET provider_from = earliest_at, provider_until = latest_at")
    assert world.feed.limit_groups() == ["g"]


def test_of_two_groups_the_one_that_closes_first_goes_first_and_whole(world):
    campaign = world.campaign()
    early, late = ([world.call(campaign, f"+1212555{first}{n:02d}") for n in range(4)] for first in ("01", "02"))
    world.sql(
        """WITH east AS (INSERT INTO zone_groups (run_id, key) SELECT id, 'east' FROM runs RETURNING id)
        UPDATE calls SET closes_at = '2026-12-02T20:00:00Z', group_id = east.id FROM east WHERE calls.id = ANY(:ids)""",
        ids=late,
    )
    world.sql("UPDATE accounts SET concurrency = 6")
    world.feed.run("g")
    assert [world.state(call) for call in late] == ["queued"] * 4
    assert [world.state(call) for call in early].count("queued") == 2


def test_why_names_a_call_that_was_put_off_for_a_moment_before_those_of_the_next_opening(world):
    campaign = world.campaign()
    first, second = world.call(campaign, "+12125550101"), world.call(campaign, "+12125550102")
    world.sql(
        "UPDATE calls SET due_at = '2026-12-03T14:00:00Z', closes_at = '2026-12-03T23:59:00Z' WHERE id = :id", id=first
    )
    world.sql("UPDATE calls SET due_at = '2026-12-02T17:30:00Z' WHERE id = :id", id=second)
    (group,) = Why(world.database, world.gate).campaign("spring").groups
    assert group.due_at == datetime(2026, 12, 2, 17, 30, tzinfo=UTC)


# --- the budget of dials ---------------------------------------------------------------------------------------


def spent(world, campaign):
    """What the feed believes, and what the attempts say."""
    with world.database.begin() as connection:
        (room,) = [each for each in rows.campaign_rooms(connection, "g") if each.id == campaign]
    counted = world.one("SELECT count(*) FROM attempts WHERE campaign_id = :id AND counts", id=campaign)
    return 1000 - room.budget_left, counted


def budgeted(world):
    campaign = world.campaign(dial_budget=1000)
    world.sql(FILL, campaign=campaign, state="completed", count=60)
    return campaign


ADD = """
    INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
        campaign_at, claimed_at, send_by, outcome, closed_at, counts)
    SELECT gen_random_uuid(), q.id, :attempt_no, q.run_id, q.campaign_id, 'sim', q.number, 'line-1', 1, 'closed',
        t.at, t.at, t.at, 'answered', t.at, q.id % 4 <> 0
    FROM calls q, LATERAL (SELECT clock_timestamp() AS at) t
    WHERE q.campaign_id = :campaign AND q.id % :part = 0
"""


def test_the_budget_used_is_the_count_of_attempts_whatever_happens_to_them(world):
    campaign, chance = budgeted(world), random.Random(4)
    seen = set()
    for attempt_no in range(1, 40):
        with world.database.connect() as connection:
            transaction = connection.begin()
            change(connection, campaign, attempt_no, chance)
            transaction.commit() if chance.random() < 0.7 else transaction.rollback()
        told, counted = spent(world, campaign)
        assert told == counted
        seen.add(counted)
    assert len(seen) > 10


def change(connection, campaign, attempt_no, chance):
    """Attempts are added, turn out to count or not, go, or the notes on them are folded."""
    part = chance.randint(2, 7)
    match chance.randrange(6):
        case 0 | 1 | 2:
            connection.execute(text(ADD), {"campaign": campaign, "attempt_no": attempt_no, "part": part})
        case 3:
            connection.execute(
                text("UPDATE attempts SET counts = NOT counts WHERE call_id % :part = 0"), {"part": part}
            )
        case 4:
            connection.execute(text("DELETE FROM attempts WHERE call_id % :part = 0"), {"part": 3 * part})
        case _:
            rows.fold_budget_use(connection, campaign)


def test_the_budget_used_stays_true_while_claims_add_to_it_and_the_feed_folds_it(world):
    campaign = budgeted(world)

    def claim(attempt_no):
        with world.database.begin() as connection:
            connection.execute(text(ADD), {"campaign": campaign, "attempt_no": attempt_no, "part": 1})

    def fold(_):
        with world.database.begin() as connection:
            rows.lock_accounts(connection, "g")
            rows.fold_budget_use(connection, campaign)

    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(claim, n) for n in range(1, 16)] + [pool.submit(fold, n) for n in range(15)]
        for job in jobs:
            job.result()
    told, counted = spent(world, campaign)
    assert told == counted == 15 * 45


def test_many_notes_on_a_budget_become_one_and_the_budget_holds(world):
    campaign = world.campaign(dial_budget=3)
    for n in range(5):
        world.call(campaign, f"+121255501{n:02d}")
    world.sql("INSERT INTO budget_use SELECT :id, 0 FROM generate_series(1, :n)", id=campaign, n=FOLDED_FROM + 1)
    world.dial_all()
    assert world.one("SELECT count(*) FROM budget_use WHERE campaign_id = :id", id=campaign) == 2
    world.dial_all()
    world.dial_all()
    assert len(world.provider.dials) == 3


def test_a_campaign_without_a_budget_leaves_no_notes(world):
    world.call(world.campaign(), "+12125550101")
    world.dial_all()
    assert world.one("SELECT count(*) FROM attempts") == 1
    assert world.one("SELECT count(*) FROM budget_use") == 0
