"""`rules check`, `rules list`, `rules show`: the law that the gate applies, and tables of cases for it.

None of them needs a running installation: the rules are files of this version.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from campaigns.cli.errors import CommandError, ExitCode, problem
from campaigns.cli.options import JsonOption
from campaigns.cli.output import answers, notes, print_json
from campaigns.files.case_row import CaseProblem
from campaigns.files.case_table import CaseTableError, read_case_table
from campaigns.runtime.law import gatekeeper
from campaigns.services.rule_cases import CaseRun, check_cases
from campaigns.services.rule_views import (
    UnknownJurisdictionError,
    find_jurisdiction,
    hours_text,
    jurisdiction_view,
    law_view,
)

rules = typer.Typer(help="The calling rules in force, and tables of cases for them.", no_args_is_help=True)
"""Other command modules add to this group too."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    rules.command("check")(check)
    rules.command("list")(list_rules)
    rules.command("show")(show)
    app.add_typer(rules, name="rules")


def check(
    table: Annotated[Path, typer.Argument(metavar="CASES.csv", help="Cases, in the columns of docs/rules.md.")],
    as_json: JsonOption = False,
) -> None:
    """Run a table of cases through the gate; exit code 0 only if every one comes out as expected."""
    try:
        cases = read_case_table(table)
    except CaseTableError as error:
        raise _broken_table(table, error) from None
    run = check_cases(cases, gatekeeper())
    if as_json:
        print_json(run.as_dict())
    else:
        _tell(run)
    if run.failed:
        raise typer.Exit(ExitCode.BAD_ANSWER)


def list_rules(as_json: JsonOption = False) -> None:
    """Every jurisdiction in force: hours, caps, artificial voices, citation, confidence, when to review."""
    law = law_view(gatekeeper().rules, now=datetime.now(UTC))
    if as_json:
        print_json(law.as_dict())
        return
    table = Table("key", "sales hours", "caps", "AI voice", "c", "review by", "citation", box=None, pad_edge=False)
    for one in law.jurisdictions:
        caps = ", ".join(f"{cap['max_attempts']}/{cap['window_hours']:g}h" for cap in one["caps"]) or "-"
        voice = one["ai_voice"].replace("_", " ")
        hours = hours_text(one["sales_hours"])
        table.add_row(one["key"], hours, caps, voice, one["confidence"], one["review_by"], one["citation"])
    answers().print(table)
    age = f"the oldest file is of {law.as_of}, {law.age_days} days old"
    notes().print(f"{age}; {'have it reviewed' if law.old else 'fresh'}; digest {law.digest}", soft_wrap=True)


def show(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A jurisdiction, such as US-FL.")],
    as_json: JsonOption = False,
) -> None:
    """All that one rule file says, and its country's, which bind together."""
    book = gatekeeper().rules
    try:
        found = find_jurisdiction(book, key)
    except UnknownJurisdictionError as error:
        item = problem(str(error), path="KEY", found=key, allowed="the key of a rule file in force")
        item["nearest"] = error.nearest[0] if error.nearest else None
        raise CommandError(str(error), exit_code=ExitCode.BAD_INPUT, problems=[item]) from None
    country = None if found.is_country else jurisdiction_view(book.jurisdictions[found.country])
    view = jurisdiction_view(found)
    if as_json:
        print_json(view | {"with": country})
        return
    _print_view(view)
    if country is not None:
        answers().print(f"\nand with it, for every call there, {country['name']}:")
        _print_view(country)


def _tell(run: CaseRun) -> None:
    console = answers()
    for failed in run.failed:
        console.print(f"{failed.id} (line {failed.line}): {failed.why}", markup=False, soft_wrap=True)
        console.print(f"    expected {_short(failed.expected)}", markup=False, soft_wrap=True)
        console.print(f"    got      {_short(failed.got)}", markup=False, soft_wrap=True)
    console.print(f"{run.cases} cases: {run.passed} passed, {len(run.failed)} failed")


def _short(answer: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in answer.items() if value not in (None, []))


def _broken_table(path: Path, error: CaseTableError) -> CommandError:
    count = "1 problem" if len(error.problems) == 1 else f"{len(error.problems)} problems"
    return CommandError(
        f"{path.name} has {count}; no case was run.",
        exit_code=ExitCode.BAD_INPUT,
        problems=[_as_dict(path, each) for each in error.problems],
        lines=[f"{path.name}:{each.line or 1}: {each.message}" for each in error.problems],
    )


def _as_dict(path: Path, each: CaseProblem) -> dict[str, Any]:
    item = problem(each.message, path=each.column, found=each.found, allowed=each.allowed)
    return item | {"file": str(path), "line": each.line, "nearest": each.nearest}


def _print_view(view: dict[str, Any]) -> None:
    console = answers()
    for name, value in view.items():
        if value in (None, [], ""):
            continue
        shown = hours_text(value) if name.endswith("_hours") and "hours" not in value else _value(value)
        console.print(f"{name.replace('_', ' '):>24}  {shown}", markup=False, soft_wrap=True)


def _value(value: Any) -> str:
    match value:
        case dict():
            return "; ".join(f"{key}: {_value(each)}" for key, each in value.items())
        case list():
            return "; ".join(_value(each) for each in value)
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
