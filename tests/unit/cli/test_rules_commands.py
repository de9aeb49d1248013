"""`rules`: tables of cases, and the law in force. No server is needed."""

import json
from pathlib import Path
from typing import Any

import pytest

from campaigns.cli.main import run

CASES = Path(__file__).parents[2] / "data" / "gate_cases.csv"


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, dict[str, Any]]:
        code = run([*arguments, "--json"])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return call


def test_the_shipped_cases_pass(shell: Any) -> None:
    code, answer = shell("rules", "check", str(CASES))

    assert (code, answer["failed"]) == (0, [])
    assert answer["cases"] == answer["passed"] > 30


def test_a_case_that_comes_out_otherwise_is_told_with_what_was_expected_and_why(shell: Any, tmp_path: Path) -> None:
    table = tmp_path / "ours.csv"
    table.write_text(
        "id,number,allow_fictional,now_utc,purpose,consent,expected,rule_id\n"
        "good,+12125550123,1,2026-11-23T16:00:00Z,telemarketing,pewc,allow,\n"
        "bad,+12125550123,1,2026-11-23T16:00:00Z,telemarketing,none,allow,\n"
    )
    code, answer = shell("rules", "check", str(table))

    assert (code, answer["cases"], answer["passed"]) == (1, 2, 1)
    (failed,) = answer["failed"]
    assert (failed["id"], failed["line"]) == ("bad", 3)
    assert failed["expected"] == {"verdict": "allow", "rule_id": None}
    assert (failed["got"]["verdict"], failed["got"]["rule_id"]) == ("deny", "CONSENT-PEWC")
    assert "CONSENT-PEWC" in failed["why"]


def test_a_broken_table_is_refused_with_every_line(shell: Any, tmp_path: Path) -> None:
    table = tmp_path / "ours.csv"
    table.write_text(
        "id,number,now_utc,purpose,expected\na,+1,noon,telemarketing,allow\nb,+1,noon,telemarketing,allow\n"
    )
    code, answer = shell("rules", "check", str(table))

    assert code == 2
    assert [(error["line"], error["path"], error["found"]) for error in answer["errors"]] == [
        (2, "now_utc", "noon"),
        (3, "now_utc", "noon"),
    ]


def test_the_law_is_listed_with_citation_confidence_and_when_to_review_it(shell: Any) -> None:
    code, answer = shell("rules", "list")

    assert code == 0
    florida = next(one for one in answer["jurisdictions"] if one["key"] == "US-FL")
    assert (florida["confidence"], florida["as_of"], florida["review_by"]) == ("A", "2026-11-21", "2027-03-21")
    assert "501.616" in florida["citation"]
    assert florida["caps"][0]["rule_id"] == "FREQ-US-FL-24H"
    assert answer["jurisdictions"][0]["key"] == "US"


def test_a_state_is_shown_with_the_country_whose_rules_bind_with_it(shell: Any) -> None:
    code, answer = shell("rules", "show", "us-tx")

    assert (code, answer["key"], answer["with"]["key"]) == (0, "US-TX", "US")
    assert answer["sales_hours"]["sun"] == "12:00-21:00"


def test_an_unknown_jurisdiction_is_refused_with_the_nearest(shell: Any) -> None:
    code, answer = shell("rules", "show", "US-FLA")

    assert code == 2
    assert "did you mean" in answer["errors"][0]["message"]
    assert "US-FL" in answer["errors"][0]["message"]


@pytest.mark.parametrize("arguments", [["rules", "list"], ["rules", "show", "US-NE"], ["rules", "check", str(CASES)]])
def test_every_command_has_a_form_for_people(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(arguments) == 0
    assert capsys.readouterr().out.strip()
