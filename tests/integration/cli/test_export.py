"""`ringfence export`: every attempt of every customer, whole or not at all, and no more than the role may see."""

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from campaigns.cli.main import run
from campaigns.services import export as export_service
from campaigns.services.export import COLUMNS, CONVERSATION_COLUMNS, Export
from campaigns.services.roles import Role
from campaigns.store import export as export_rows

SETTINGS = """
[accounts.sim]
provider = "vapi"
baseUrl = "http://127.0.0.1:9"
simulator = true
concurrency = 1
callsPerSecond = 1.0
"""
ANN, BEN, EVE = "+12125550101", "+12125550102", "+12125550103"
FORMULA = '=HYPERLINK("http://evil.example.com")'


@pytest.fixture
def folder(tmp_path: Path, database_url: str, database: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "RINGFENCE_HOME": str(tmp_path),
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://x",
        "RINGFENCE_OPERATOR": "ann",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RINGFENCE_ROLE", raising=False)
    (tmp_path / "ringfence.toml").write_text(SETTINGS)
    assert run(["migrate"]) == 0
    with database.begin() as connection:
        for statement in CAMPAIGN:
            connection.execute(text(statement))
    add_call(database, EVE, name=FORMULA, state="blocked")
    add_call(database, ANN, name="Ann", attempts=2)
    add_call(database, BEN, name="Ben", attempts=1)
    return tmp_path


CAMPAIGN = (
    "INSERT INTO campaigns (name, account, webhook_token, lines, created_by) "
    "VALUES ('spring', 'sim', 't', ARRAY['line-1'], 'test')",
    "INSERT INTO campaign_versions (campaign_id, number, digest, source, definition, submitted_by) "
    "VALUES (1, 1, 'd', '', '{}', 'test')",
    "INSERT INTO runs (campaign_id, version_id, earliest_at, latest_at, state) "
    "VALUES (1, 1, '2026-12-01T00:00:00Z', '2026-12-12T00:00:00Z', 'active')",
    "INSERT INTO zone_groups (run_id, key) VALUES (1, 'all')",
)


def add_call(database: Engine, number: str, *, name: str, attempts: int = 0, state: str = "completed") -> None:
    """A call that is over, with attempts of which the last was answered."""
    with database.begin() as connection:
        values = {"number": number, "name": name, "state": state}
        call_id = connection.execute(
            text("""
                WITH u AS (INSERT INTO customers (run_id, row_number, number, name, external_id, restriction)
                    VALUES (1, 1, :number, :name, '@id', 0) RETURNING id)
                INSERT INTO calls (id, run_id, campaign_id, group_id, number, state, reason, final_at)
                SELECT id, 1, 1, 1, :number, :state, 'because', clock_timestamp() FROM u RETURNING id
            """),
            values,
        ).scalar_one()
        for number_of in range(1, attempts + 1):
            last = number_of == attempts
            attempt = {"call": call_id, "no": number_of, "number": number, "outcome": "answered" if last else "busy"}
            connection.execute(
                text("""
                    WITH t AS (INSERT INTO attempts (id, call_id, attempt_no, run_id, campaign_id, account, number,
                        line, epoch, state, campaign_at, claimed_at, send_by, outcome, closed_at, duration, cost_usd)
                    SELECT gen_random_uuid(), :call, :no, 1, 1, 'sim', :number, 'line-1', 1, 'closed', s.at, s.at,
                        s.at, :outcome, s.at, interval '42 seconds', 0.25
                    FROM (SELECT clock_timestamp() AS at) s RETURNING id)
                    INSERT INTO attempt_artifacts (attempt_id, transcript, summary, cost_breakdown, delete_after)
                    SELECT id, :transcript, 'They agreed.', '{"llm": 0.02}', clock_timestamp() + interval '1 day'
                    FROM t WHERE :outcome = 'answered'
                """),
                attempt | {"transcript": f"=cmd|{number_of}\nHello."},
            )


def table(text_of_file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of_file, newline="")))


def exported(folder: Path, *options: str) -> list[dict[str, str]]:
    assert run(["export", "spring", "--out", str(folder / "x.csv"), *options]) == 0
    return table((folder / "x.csv").read_text())


def operations(database: Engine) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        rows = connection.execute(text("SELECT operator, subject, detail FROM operations WHERE action = 'export'"))
        return [tuple(row) for row in rows]


# --- rows -------------------------------------------------------------------------------------------------------


def test_every_attempt_of_every_call_is_a_row_and_a_call_without_one_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_ROLE", "operator")
    found = [(row["number"], row["call_state"], row["attempt_no"], row["outcome"]) for row in exported(folder)]
    assert found == [
        (ANN, "completed", "1", "busy"),
        (ANN, "completed", "2", "answered"),
        (BEN, "completed", "1", "answered"),
        (EVE, "blocked", "", ""),
    ]


def test_json_lines_carry_the_same_with_their_types(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RINGFENCE_ROLE", "operator")
    capsys.readouterr()
    assert run(["export", "spring", "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [tuple(row) for row in rows] == [COLUMNS] * 4
    assert (rows[1]["number"], rows[1]["duration_seconds"], rows[1]["cost_usd"]) == (ANN, 42.0, 0.25)
    assert rows[3]["name"] == FORMULA
    assert (rows[3]["attempt_no"], rows[3]["rang"]) == (None, None)


def test_pages_are_joined_without_a_gap_and_read_only_when_they_are_needed(
    folder: Path, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "CALLS_AT_ONCE", 2)
    statements: list[str] = []
    event.listen(database, "before_cursor_execute", lambda *call: statements.append(call[2]))
    rows = Export(database, role=Role.COMPLIANCE, operator="ann").rows("spring", with_conversations=True)
    assert [statement for statement in statements if "FROM customers" in statement] == []
    assert next(rows)["number"] == ANN
    assert len([statement for statement in statements if "FROM customers" in statement]) == 1
    assert [row["number"] for row in rows] == [ANN, BEN, EVE]


def test_no_transaction_is_open_while_rows_are_written(folder: Path, database: Engine) -> None:
    """A slow reader would otherwise keep the database from cleaning up behind itself."""
    rows = Export(database, role=Role.VIEWER, operator="ann").rows("spring")
    next(rows)
    with database.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = :name"
        assert connection.execute(text(query), {"name": database.url.database}).scalar_one() == 0


# --- roles ------------------------------------------------------------------------------------------------------


def test_a_viewer_sees_nobodys_name_and_two_digits_of_each_number(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = exported(folder)
    assert {(row["name"], row["number"]) for row in rows} == {("", "…01"), ("", "…02"), ("", "…03")}
    assert "masked for the role viewer: name, number" in capsys.readouterr().err.replace("\n", " ")


def test_a_viewer_is_refused_what_was_said_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], database: Engine
) -> None:
    assert run(["export", "spring", "--with-conversations", "--out", "x.csv"]) == 3
    assert "RINGFENCE_ROLE" in capsys.readouterr().err
    assert not (folder / "x.csv").exists()
    assert operations(database) == []


@pytest.mark.parametrize(
    ("role", "transcript", "masked"),
    [("operator", "", ["transcript", "recording_url"]), ("compliance", "'=cmd|2\nHello.", [])],
)
def test_each_role_gets_its_part_of_what_was_said(
    folder: Path,
    database: Engine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    role: str,
    transcript: str,
    masked: list[str],
) -> None:
    monkeypatch.setenv("RINGFENCE_ROLE", role)
    capsys.readouterr()
    rows = exported(folder, "--with-conversations", "--json")
    assert list(rows[0]) == [*COLUMNS, *CONVERSATION_COLUMNS]
    assert [row["transcript"] for row in rows if row["number"] == ANN] == ["", transcript]
    assert [row["summary"] for row in rows if row["number"] == ANN] == ["", "They agreed."]
    assert [row["cost_breakdown"] for row in rows if row["number"] == ANN] == ["", '{"llm": 0.02}']
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told == {"campaign": "spring", "file": str(folder / "x.csv"), "rows": 4, "role": role, "masked": masked}
    assert operations(database) == [("ann", "spring", f"calls and conversations; role {role}")]


def test_the_settings_file_may_name_the_role_and_the_environment_is_above_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "ringfence.toml").write_text('role = "operator"\n' + SETTINGS)
    assert exported(folder)[0]["number"] == ANN
    monkeypatch.setenv("RINGFENCE_ROLE", "viewer")
    assert exported(folder)[0]["number"] == "…01"
    monkeypatch.setenv("RINGFENCE_ROLE", "king")
    assert run(["export", "spring"]) == 2
    assert "'viewer', 'operator' or 'compliance'" in capsys.readouterr().err


# --- files ------------------------------------------------------------------------------------------------------


def test_what_a_spreadsheet_would_run_is_made_text_and_a_number_stays_a_number(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_ROLE", "operator")
    row = exported(folder)[3]
    assert (row["name"], row["external_id"], row["number"]) == ("'" + FORMULA, "'@id", EVE)


def test_an_export_that_breaks_off_leaves_the_file_as_it_was(
    folder: Path, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "x.csv").write_text("as it was")

    def broken(*_: object, **__: object) -> Iterator[dict[str, Any]]:
        raise KeyboardInterrupt

    pages = export_service.calls_page
    monkeypatch.setattr(export_rows, "CALLS_AT_ONCE", 1)
    monkeypatch.setattr(
        export_service,
        "calls_page",
        lambda connection, run_id, *, after: (broken if after else pages)(connection, run_id, after=after),
    )
    assert run(["export", "spring", "--out", "x.csv"]) == 130
    assert (folder / "x.csv").read_text() == "as it was"
    assert [path.name for path in folder.iterdir() if "part" in path.name] == []


def test_a_file_is_for_its_owner_alone(folder: Path) -> None:
    exported(folder)
    assert (folder / "x.csv").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("out", [".", "missing/x.csv", "pipe"])
def test_a_place_that_takes_no_file_is_said_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    subprocess.run(["mkfifo", str(folder / "pipe")], check=True)
    assert run(["export", "spring", "--out", out]) == 2
    assert "name another" in capsys.readouterr().err.replace("\n", " ")


def test_rows_and_an_object_do_not_share_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "spring", "--json"]) == 2
    assert "--out" in capsys.readouterr().out


def test_an_unknown_campaign_is_named_with_the_nearest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "sprng"]) == 2
    assert "spring" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_fault(folder: Path, database: Engine, ringfence_command: str) -> None:
    with database.begin() as connection:
        connection.execute(
            text("""
                WITH u AS (INSERT INTO customers (run_id, row_number, number, name, external_id, restriction)
                    SELECT 1, n, '+1646555' || lpad(n::text, 4, '0'), 'x', repeat('x', 500), 0
                    FROM generate_series(1, 2000) AS n RETURNING id, number)
                INSERT INTO calls (id, run_id, campaign_id, group_id, number, state, reason, final_at)
                SELECT id, 1, 1, 1, number, 'blocked', 'because', clock_timestamp() FROM u
            """)
        )
    with subprocess.Popen(
        [ringfence_command, "export", "spring"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        assert writer.stdout.readline().startswith("campaign,run,row")
        writer.stdout.close()
        told = writer.stderr.read()
    assert writer.returncode == 1
    assert "the reader went away" in told
    assert "Traceback" not in told
