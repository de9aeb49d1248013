"""Tables as large as a year leaves them, filled by the server itself: expansion has its own benchmark.

Foreign keys are looked at by nobody while they fill (`session_replication_role`), and calls have no customers: a feed
reads neither.
"""

from sqlalchemy import Connection, Engine, text

GROUPS = 40
"""Zone groups of a run: about what a list of the whole country falls into."""
CHUNK = 500_000
ACCOUNT = "bench"


def fill_account(engine: Engine) -> None:
    """One account whose own limits are out of the way, but for a rate that lets 500 calls go at once."""
    with engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO accounts (name, provider, limit_group, simulator, concurrency, calls_per_second,
                    ring_timeout, max_duration, reconcile_after, webhooks)
                VALUES (:account, 'vapi', :account, true, 1000000, 500, '1 min', '10 min',
                    ARRAY[interval '1 s', interval '3 s'], true)
            """),
            {"account": ACCOUNT},
        )


def add_campaign(engine: Engine, name: str, *, state: str = "active", budget: int | None = None) -> int:
    """A campaign with one run, active for a day from an hour ago; the run's id."""
    with engine.begin() as connection:
        run_id: int = connection.execute(
            text("""
                WITH c AS (INSERT INTO campaigns (name, account, state, webhook_token, lines, created_by, dial_budget)
                    VALUES (:name, :account, :state, 't', ARRAY['line-1', 'line-2'], 'bench', :budget) RETURNING id),
                v AS (INSERT INTO campaign_versions (campaign_id, number, digest, source, definition, submitted_by)
                    SELECT id, 1, 'd', '', '{}', 'bench' FROM c RETURNING id, campaign_id)
                INSERT INTO runs (campaign_id, version_id, earliest_at, latest_at, state)
                SELECT campaign_id, id, clock_timestamp() - interval '1 hour', clock_timestamp() + interval '1 day',
                    'active' FROM v RETURNING id
            """),
            {"name": name, "account": ACCOUNT, "state": state, "budget": budget},
        ).scalar_one()
        connection.execute(
            text("INSERT INTO zone_groups (run_id, key) SELECT :run, 'group ' || n FROM generate_series(1, :groups) n"),
            {"run": run_id, "groups": GROUPS},
        )
    return run_id


def add_calls(
    engine: Engine, run_id: int, count: int, *, due: str = "1 hour", closes: str = "6 hours", state: str = "scheduled"
) -> None:
    """Calls by the hundred thousand, spread over the groups. `due`, `closes`: from now, as intervals."""
    for first in range(0, count, CHUNK):
        with engine.begin() as connection:
            _unchecked(connection)
            connection.execute(
                text("""
                    INSERT INTO calls (id, run_id, campaign_id, group_id, number, state, reason, due_at, closes_at,
                        final_at)
                    SELECT (SELECT coalesce(max(id), 0) FROM calls) + n, r.id, r.campaign_id, g.first + n % :groups,
                        '+1' || 2000000000 + (CAST(n AS bigint) + :first) * 7919 % 7999999999,
                        :state, CASE WHEN :state <> 'scheduled' THEN 'answered' END,
                        CASE WHEN :state = 'scheduled' THEN clock_timestamp() + CAST(:due AS interval) END,
                        CASE WHEN :state = 'scheduled' THEN r.created_at + CAST(:closes AS interval) END,
                        CASE WHEN :state <> 'scheduled' THEN clock_timestamp() END
                    FROM runs r, (SELECT min(id) AS first FROM zone_groups WHERE run_id = :run) g,
                        generate_series(1, :count) n
                    WHERE r.id = :run
                """),
                {
                    "run": run_id, "groups": GROUPS, "state": state, "due": due, "closes": closes, "first": first,
                    "count": min(CHUNK, count - first),
                },
            )  # fmt: skip


def add_attempts(engine: Engine, run_id: int, count: int) -> None:
    """Counted attempts of a run that are over, one a call, dialed within the last hour."""
    for first in range(0, count, CHUNK):
        with engine.begin() as connection:
            _unchecked(connection)
            connection.execute(
                text("""
                    INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch,
                        state, campaign_at, claimed_at, send_by, outcome, closed_at)
                    SELECT gen_random_uuid(), (SELECT coalesce(max(call_id), 0) FROM attempts) + n, 1, r.id,
                        r.campaign_id, :account, '+1' || 2000000000 + CAST(n AS bigint), 'line-1', 1, 'closed', t.at,
                        t.at, t.at, 'answered', t.at
                    FROM runs r, generate_series(1, :count) n,
                        LATERAL (SELECT clock_timestamp() - n * interval '1 ms' AS at) t
                    WHERE r.id = :run
                """),
                {"run": run_id, "account": ACCOUNT, "count": min(CHUNK, count - first)},
            )


def settle(engine: Engine) -> None:
    """What autovacuum does in its time."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _unchecked(connection: Connection) -> None:
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(text("SET LOCAL statement_timeout = 0"))
