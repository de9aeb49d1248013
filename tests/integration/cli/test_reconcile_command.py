"""`ringfence reconcile` against a simulated provider: what it compares, what it says, how it ends."""

import json
import urllib.request
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

NUMBER = "+12125550101"


class Books:
    """The record on one side, the provider's calls on the other; all of it an hour old."""

    def __init__(self, database: Engine, served: Any) -> None:
        self.database = database
        self.served = served

    def sql(self, statement: str, **values: Any) -> Any:
        with self.database.begin() as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else None

    def campaign(self) -> None:
        self.sql(
            """WITH c AS (INSERT INTO campaigns (name, account, webhook_token, lines, created_by, created_at)
                VALUES ('spring', 'sim', 't', '{line-1}', 'test', clock_timestamp() - interval '2 hours')
                RETURNING id),
            v AS (INSERT INTO campaign_versions (campaign_id, number, digest, source, definition, submitted_by)
                SELECT id, 1, 'd', '', '{}', 'test' FROM c RETURNING id, campaign_id),
            r AS (INSERT INTO runs (campaign_id, version_id, earliest_at, latest_at, state)
                SELECT campaign_id, id, '2026-12-01', '2030-12-13', 'active' FROM v RETURNING id)
            INSERT INTO zone_groups (run_id, key) SELECT id, 'all' FROM r"""
        )

    def call(self, *, attempt: UUID, provider_call_id: str | None) -> None:
        """A finished call of ours with its attempt."""
        self.sql(
            """WITH u AS (INSERT INTO customers (run_id, row_number, number, restriction)
                SELECT id, 1, :number, 0 FROM runs RETURNING id, run_id),
            q AS (INSERT INTO calls (id, run_id, campaign_id, group_id, number, state, reason, final_at)
                SELECT u.id, u.run_id, r.campaign_id, g.id, :number, 'completed', 'answered', clock_timestamp()
                FROM u JOIN runs r ON r.id = u.run_id JOIN zone_groups g ON g.run_id = u.run_id
                RETURNING id, run_id, campaign_id)
            INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number, line, epoch, state,
                campaign_at, claimed_at, send_by, provider_call_id, outcome, closed_at)
            SELECT :id, q.id, 1, q.run_id, q.campaign_id, 'sim', :number, 'line-1', 0, 'closed', clock_timestamp(),
                clock_timestamp() - interval '1 hour', clock_timestamp(), :provider_call_id, 'answered',
                clock_timestamp() FROM q""",
            id=attempt,
            number=NUMBER,
            provider_call_id=provider_call_id,
        )

    def provider_makes(self, *, name: str = "by hand", line: str = "line-1") -> str:
        """A call on the provider's books, an hour ago."""
        body = json.dumps(
            {"assistantId": "a", "phoneNumberId": line, "name": name, "customer": {"number": NUMBER}}
        ).encode()
        headers = {"Authorization": "Bearer simulator", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.served.url}/call", data=body, headers=headers)  # noqa: S310 - loopback
        self._provider_clock(-3600.0)  # it never goes back once it was read, so calls come before the first look
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            call: str = json.load(answer)["id"]
        self._provider_clock(0.0)
        return call

    def _provider_clock(self, offset: float) -> None:
        self.served.on_loop(lambda: self.served.simulator.simulation.change({"clock_offset": offset}))


@pytest.fixture
def books(database: Engine, served: Any, ringfence: Any) -> Books:
    books = Books(database, served)
    books.campaign()
    return books


def test_a_day_on_which_all_is_explained_ends_well(ringfence: Any, books: Books) -> None:
    attempt = uuid4()
    books.call(attempt=attempt, provider_call_id=books.provider_makes(name=str(attempt)))
    books.provider_makes(line="their-line")
    code, answer = ringfence("reconcile", "--since", "2h")
    (account,) = answer["accounts"]
    assert (code, answer["explained"], account["calls"], account["matched"], account["foreign"]) == (0, True, 2, 1, 1)
    assert account["hold"] is None
    code, said = ringfence.plainly("reconcile", "--since", "2h", "--account", "sim")
    assert code == 0
    assert "everything is explained" in said


def test_a_stray_ends_badly_until_somebody_explains_it(ringfence: Any, books: Books) -> None:
    call = books.provider_makes()
    code, answer = ringfence("reconcile", "--since", "2h")
    assert (code, answer["explained"], answer["accounts"][0]["strays"]) == (1, False, 1)
    code, said = ringfence.plainly("reconcile", "--since", "2h")
    assert code == 1
    assert "NOT everything is explained" in said
    assert NUMBER not in said + json.dumps(answer)
    assert ringfence("attention", "resolve-stray", "sim", call, "--reason", "Ann's test")[0] == 0
    assert ringfence("reconcile", "--since", "2h")[0] == 0


def test_who_reconciled_is_on_record(ringfence: Any, books: Books) -> None:
    ringfence("reconcile", "--since", "2h")
    rows = books.sql("SELECT operator, subject FROM operations WHERE action = 'reconcile'")
    assert [tuple(row) for row in rows] == [("tester", "sim")]


def test_a_restored_account_dials_again_once_everything_is_explained(ringfence: Any, books: Books) -> None:
    books.sql(
        """UPDATE accounts SET unproven_reason = 'restored', unproven_since = clock_timestamp() - interval '90 minutes',
            unproven_at = clock_timestamp() - interval '10 minutes'"""
    )
    books.provider_makes(name=str(uuid4()))
    code, answer = ringfence("reconcile", "--since", "20m")
    assert (code, answer["accounts"][0]["hold"]) == (1, "held")
    assert "it has to be looked at from" in answer["accounts"][0]["why_held"]
    code, answer = ringfence("reconcile", "--since", "2h")
    assert (code, answer["accounts"][0]["hold"]) == (1, "held")
    code, answer = ringfence("reconcile", "--since", "2h", "--accept-strays")
    assert (code, answer["accounts"][0]["hold"]) == (1, "lifted"), "the stray itself still waits for a person"
    assert books.sql("SELECT unproven_reason FROM accounts") == [(None,)]


def test_a_provider_that_does_not_answer_is_exit_code_4(ringfence: Any, books: Books, tmp_path: Any) -> None:
    settings = (tmp_path / "ringfence.toml").read_text().replace(books.served.url, "http://127.0.0.1:9")
    (tmp_path / "ringfence.toml").write_text(settings)
    code, answer = ringfence("reconcile", "--since", "2h")
    assert code == 4
    assert answer["accounts"][0]["unreachable"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--since", "yesterday"], 2, "write a time with its offset"),
        (["--since", "1m"], 2, "younger than 5 minutes"),
        (["--since", "2h", "--account", "other"], 2, "there is no account other"),
        ([], 2, "--since"),
    ],
)
def test_wrong_input_is_a_sentence(
    ringfence: Any, books: Books, arguments: list[str], code: int, sentence: str
) -> None:
    found, answer = ringfence("reconcile", *arguments)
    assert found == code
    assert sentence in json.dumps(answer["errors"])
