"""A ledger in a real Postgres, and hands that change it as an intruder would."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from campaigns.services.audit import Audit, Verification
from campaigns.services.seal import Seal

INSERT = text("""
    INSERT INTO decisions (call_id, attempt_id, decided_at, campaign_at, verdict, rule_id, next_allowed_at, zones,
        jurisdictions, rules_digest, tzdata_version, checks, facts)
    SELECT n, CASE WHEN n % 2 = 0 THEN gen_random_uuid() END, clock_timestamp(), '2026-12-02T17:00:00Z',
        CASE WHEN n % 2 = 0 THEN 'permit' ELSE 'refusal' END, CASE WHEN n % 2 = 1 THEN 'HOURS-US' END,
        '2026-12-03T13:00:00Z',
        ARRAY['America/New_York'], ARRAY['US', 'US-NY'], 'digest', '2026.6',
        '[{"rule_id": "HOURS-US", "passed": false, "detail": "closed"}]', '{"line_type": "mobile"}'
    FROM generate_series(1, :count) AS n RETURNING id
""")


def write(connection: Connection, count: int) -> list[int]:
    """Insert decisions in the transaction given, every second one a permit; returns their ids."""
    return list(connection.execute(INSERT, {"count": count}).scalars())


class Ledger:
    """One installation's record."""

    def __init__(self, database: Engine) -> None:
        self.database = database
        self.seal = Seal(database)
        self.audit = Audit(database)

    def decide(self, count: int = 1) -> list[int]:
        """Committed decisions, not sealed."""
        with self.database.begin() as connection:
            return write(connection, count)

    def tamper(self, statement: str, **values: Any) -> None:
        """As a superuser who goes past every trigger."""
        with self.database.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            assert connection.execute(text(statement), values).rowcount > 0

    def one(self, query: str) -> Any:
        with self.database.begin() as connection:
            return connection.execute(text(query)).scalar_one()

    def all(self, query: str) -> Sequence[Any]:
        with self.database.begin() as connection:
            return connection.execute(text(query)).all()

    def sql(self, statement: str) -> None:
        with self.database.begin() as connection:
            connection.execute(text(statement))

    def found(self) -> list[tuple[str, int | None]]:
        """Kind and place of every problem that an audit names."""
        return [(each.kind, each.seq) for each in self.verify().problems]

    def verify(self) -> Verification:
        return self.audit.verify()


@pytest.fixture
def ledger(database: Engine) -> Ledger:
    return Ledger(database)


@pytest.fixture
def write_decisions() -> Callable[[Connection, int], list[int]]:
    return write
