"""The inbox under load: what waits for later costs nothing, and a group is stored whole whatever is in it."""

import json
import re
from typing import Any

from campaigns.providers.contract import Artifacts, CallReport, Phase, Receipt
from campaigns.store import documents, inbox

LATER = 5_000


def test_receipts_that_wait_for_later_are_not_looked_at_for_those_that_are_due(world: Any) -> None:
    world.sql(
        """
        INSERT INTO inbox (account, dedupe_key, event_type, report, state, next_try_at)
        SELECT 'sim', n::text, 'e', '{}', 'unmatched', clock_timestamp() + interval '1 hour'
        FROM generate_series(1, :later) n
        """,
        later=LATER,
    )
    world.sql("ANALYZE inbox")
    statement = _statement_of(world, lambda connection: inbox.lock_waiting(connection, most=200))
    plan = json.dumps(_explained(world, statement.replace("%(most)s", "200")))
    assert "inbox_waiting" in plan
    assert set(re.findall(r'"Rows Removed by Filter": (\d+)', plan)) <= {"0"}


def _statement_of(world: Any, work: Any) -> str:
    """The statement that `work` sends, as Postgres saw it last on this connection."""
    with world.database.connect() as connection:
        work(connection)
        pid = connection.connection.driver_connection.info.backend_pid
        return str(world.one("SELECT query FROM pg_stat_activity WHERE pid = :pid", pid=pid))


def _explained(world: Any, statement: str) -> Any:
    with world.database.connect() as connection:
        cursor = connection.connection.driver_connection.cursor()
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.replace('$1', '200')}")
        return cursor.fetchone()[0]


def test_a_group_too_long_for_one_document_is_stored_whole_and_once(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(documents, "MOST_CHARACTERS", 1_000)
    pairs = [("sim", _receipt(str(number), transcript='"' * 600)) for number in range(5)]
    assert world.intake.accept_all(pairs) == 5
    assert world.intake.accept_all([*pairs, *pairs]) == 0
    assert world.sql("SELECT report -> 'artifacts' ->> 'transcript' FROM inbox ORDER BY id") == [('"' * 600,)] * 5


def test_an_event_that_is_only_counted_is_stored_without_a_report(world: Any) -> None:
    world.intake.accept_all([("sim", Receipt("a", "speech-update", None)), ("sim", _receipt("b"))])
    assert world.sql("SELECT event_type, state, report IS NULL FROM inbox ORDER BY dedupe_key") == [
        ("speech-update", "stored", True),
        ("end-of-call-report", "new", False),
    ]


def _receipt(key: str, *, transcript: str | None = None) -> Receipt:
    report = CallReport(key, None, Phase.REPORTED, artifacts=Artifacts(transcript=transcript))
    return Receipt(key, "end-of-call-report", report)
