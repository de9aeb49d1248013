"""What people decide and answer for: rulings, approvals, identification, answers about reassigned numbers."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, text

from campaigns.cli.main import run

SETTINGS = """
[accounts.sim]
provider = "vapi"
baseUrl = "http://127.0.0.1:9"
simulator = true
concurrency = 1
callsPerSecond = 1.0

[accounts.real]
provider = "vapi"
baseUrl = "https://api.vapi.ai"
apiKeyEnv = "TEST_VAPI_KEY"
concurrency = 1
callsPerSecond = 1.0
"""
CAMPAIGN = """
campaign: spring
purpose: telemarketing
seller: Example Energy, Inc.
account: real
assistant: {id: a-1}
lines: {pool: [line-1]}
customers: {list: [{number: "+12125550100"}]}
consent: {level: pewc, obtainedAt: 2026-09-01T00:00:00Z, source: form}
window: {earliestAt: 2030-12-01T08:00:00-05:00, latestAt: 2030-12-12T20:00:00-05:00}
"""
IDENTIFICATION = """
identification:
  entity: Example Energy, Inc.
  callbackNumber: "+12025550142"
  aiNotice: true
  optOut: say stop or press 9
"""


class Shell:
    """Runs commands as one operator; keeps the exit code and the one JSON object."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self._engine = engine

    def __call__(self, *arguments: str, operator: str = "ann") -> tuple[int, dict[str, Any]]:
        self._monkeypatch.setenv("RINGFENCE_OPERATOR", operator)
        self._capsys.readouterr()
        code = run([*arguments, "--json"])
        return code, json.loads(self._capsys.readouterr().out)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with self._engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]


@pytest.fixture
def shell(
    tmp_path: Path,
    database: Engine,
    database_url: str,
    valkey_url: str,
    valkey: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "RINGFENCE_HOME": str(tmp_path),
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
        "TEST_VAPI_KEY": "key",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "ringfence.toml").write_text(SETTINGS)
    (tmp_path / "spring.yaml").write_text(CAMPAIGN)
    shell = Shell(capsys, monkeypatch, database)
    assert shell("migrate")[0] == 0
    return shell


def write(change: str, instead: str, *, more: str = "") -> None:
    Path("spring.yaml").write_text(CAMPAIGN.replace(change, instead) + more)


def test_a_sales_campaign_to_real_people_names_itself_or_is_refused(shell: Shell) -> None:
    code, refused = shell("submit", "spring.yaml")
    assert code == 3
    assert [error["path"] for error in refused["errors"]] == [
        "identification.entity",
        "identification.callbackNumber",
        "identification.aiNotice",
        "identification.optOut",
    ]
    assert shell.sql("SELECT * FROM campaigns") == []
    write("", "", more=IDENTIFICATION.replace("  aiNotice: true\n", ""))
    assert [error["path"] for error in shell("submit", "spring.yaml")[1]["errors"]] == ["identification.aiNotice"]
    write("", "", more=IDENTIFICATION)
    code, submitted = shell("submit", "spring.yaml")
    assert (code, submitted["warnings"]) == (0, [])


def test_an_operator_may_record_why_it_is_fine(shell: Shell) -> None:
    code, submitted = shell("submit", "spring.yaml", "--identification-reason", "said by the saved assistant")
    assert (code, len(submitted["warnings"])) == (0, 4)
    assert shell.sql("SELECT subject, reason, recorded_by FROM approvals") == [
        ("identification", "said by the saved assistant", "ann")
    ]


def test_an_empty_reason_is_none(shell: Shell) -> None:
    assert shell("submit", "spring.yaml", "--identification-reason", "  ")[0] == 3


def test_a_rehearsal_is_only_warned(shell: Shell) -> None:
    write("account: real", "account: sim")
    code, submitted = shell("submit", "spring.yaml")
    assert code == 0
    assert submitted["warnings"][0]["path"] == "identification.entity"
    assert shell.sql("SELECT * FROM approvals") == []


def test_calls_that_sell_nothing_need_no_such_statement(shell: Shell) -> None:
    write("telemarketing", "informational")
    assert shell("submit", "spring.yaml")[1]["warnings"] == []


def test_an_emergency_is_approved_by_somebody_else_with_a_reason(shell: Shell) -> None:
    write("telemarketing", "emergency")
    assert shell("submit", "spring.yaml")[0] == 0
    code, refused = shell("approve", "spring", "--reason", "gas leak", operator=" Ann ")
    assert code == 3
    assert "another person must approve it" in refused["errors"][0]["message"]
    assert shell("approve", "spring", "--reason", " ", operator="ben")[0] == 3
    assert shell("approve", "spring", "--reason", "gas leak", operator="ben") == (
        0,
        {"campaign": "spring", "approved": True, "changed": True, "operator": "ben"},
    )
    assert shell("approve", "spring", "--reason", "gas leak", operator="ben")[1]["changed"] is False
    assert shell.sql("SELECT operator, action, subject, detail FROM operations WHERE action = 'approve'") == [
        ("ben", "approve", "spring", "gas leak")
    ]


def test_only_what_needs_an_approval_can_be_approved(shell: Shell) -> None:
    shell("submit", "spring.yaml", "--identification-reason", "x")
    code, refused = shell("approve", "spring", "--reason", "please", operator="ben")
    assert code == 3
    assert "is not of purpose emergency" in refused["errors"][0]["message"]
    code, unknown = shell("approve", "sprint", "--reason", "please", operator="ben")
    assert (code, unknown["errors"][0]["nearest"]) == (2, "spring")


def test_counsels_decision_is_recorded_with_its_reason_and_who_recorded_it(shell: Shell) -> None:
    given = ("rules", "ruling", "us-wa", "--ai-voice", "allow", "--reason", "letter of 1 November")
    assert shell(*given) == (
        0,
        {"jurisdiction": "US-WA", "decision": "sales by an AI voice: allow", "changed": True},
    )
    assert shell(*given)[1]["changed"] is False
    assert shell.sql("SELECT jurisdiction, subject, decision, reason, recorded_by FROM rulings") == [
        ("US-WA", "ai_voice", "allow", "letter of 1 November", "ann")
    ]
    assert ("ann", "ruling allow", "US-WA") in shell.sql("SELECT operator, action, subject FROM operations")


def test_an_emergency_is_declared_and_lifted(shell: Shell) -> None:
    for switch, decision in (("--declare", "declared"), ("--lift", "lifted")):
        code, told = shell("rules", "emergency", "US-LA", switch, "--reason", "notice of the commission")
        assert (code, told["decision"], told["changed"]) == (0, f"emergency {decision}", True)
    assert shell.sql("SELECT decision FROM rulings ORDER BY id") == [("declared",), ("lifted",)]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("ruling", "US-NY", "--ai-voice", "allow", "--reason", "x"), 3, "does not wait for counsel's decision"),
        (("ruling", "US-MS", "--ai-voice", "allow", "--reason", "x"), 3, "its rule is requires_ebr"),
        (("ruling", "US-WA", "--ai-voice", "allow", "--reason", " "), 3, "a ruling needs its reason"),
        (("ruling", "US-W", "--ai-voice", "allow", "--reason", "x"), 2, "did you mean US-W"),
        (("emergency", "US-TX", "--declare", "--reason", "x"), 3, "those of US-LA, US-NY do"),
        (("emergency", "Texas", "--declare", "--reason", "x"), 2, "no rule file in force is for 'Texas'"),
    ],
)
def test_a_ruling_that_would_change_nothing_in_law_is_refused(
    shell: Shell, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ended, refused = shell("rules", *arguments)
    assert (ended, shell.sql("SELECT * FROM rulings")) == (code, [])
    assert message in refused["errors"][0]["message"]


ANSWERS = """number,askedSince,answer
+12125550100,2026-09-01,no
(212) 555-0101,2026-09-01,Yes
212-555-0102,2026-09-01,no data
"""


def test_answers_about_reassigned_numbers_are_taken_over_once(shell: Shell) -> None:
    Path("answers.csv").write_text(ANSWERS)
    given = ("reassigned", "import", "answers.csv", "--answered-at", "2026-11-20T12:00:00-05:00")
    assert shell(*given) == (0, {"rows": 3, "added": 3, "known": 0, "rejected": 0, "rejects": []})
    assert shell(*given) == (0, {"rows": 3, "added": 0, "known": 3, "rejected": 0, "rejects": []})
    assert shell.sql("SELECT number, answer, source, recorded_by FROM reassigned_answers ORDER BY number") == [
        ("+12125550100", "no", "answers.csv", "ann"),
        ("+12125550101", "yes", "answers.csv", "ann"),
        ("+12125550102", "no_data", "answers.csv", "ann"),
    ]
    assert len(shell.sql("SELECT * FROM operations WHERE action = 'reassigned import' AND detail LIKE '%sha256%'")) == 2


def test_every_bad_row_is_told_with_its_number_and_the_others_are_taken_over(shell: Shell) -> None:
    Path("answers.csv").write_text(
        "phone,askedSince,answer,answeredAt\n"
        "+12125550100,2026-09-01,no,2026-11-20T12:00:00Z\n"
        "nobody,2026-09-01,no,2026-11-20T12:00:00Z\n"
        "+12125550101,9/1/2026,no,2026-11-20T12:00:00Z\n"
        "+12125550102,2026-09-01,maybe,2026-11-20T12:00:00Z\n"
        "+12125550103,2026-09-01,no,2026-11-20T12:00:00\n"
        "+12125550104,2026-09-01,no,today\n"
        "+12125550105,2026-09-01,no,\n"
        "+12125550106\n"
    )
    code, told = shell("reassigned", "import", "answers.csv", "--column", "number=phone")
    assert (code, told["rows"], told["added"], told["rejected"]) == (1, 8, 1, 7)
    assert [each["row"] for each in told["rejects"]] == [2, 3, 4, 5, 6, 7, 8]
    assert not any("5550" in each["message"] for each in told["rejects"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("answers.csv", "--column", "number"),
        ("answers.csv", "--column", "phone=number"),
        ("answers.csv", "--answered-at", "2026-11-20"),
        ("answers.csv", "--answered-at", "yesterday"),
        ("nothing.csv",),
        ("answers.csv", "--column", "number=phone"),
    ],
)
def test_what_cannot_be_read_at_all_changes_nothing(shell: Shell, arguments: tuple[str, ...]) -> None:
    Path("answers.csv").write_text(ANSWERS)
    code, told = shell("reassigned", "import", *arguments)
    assert (code, shell.sql("SELECT * FROM reassigned_answers")) == (2, [])
    assert told["errors"][0]["message"]
