"""`reassigned import`: answers of the FCC's reassigned-numbers database."""

from pathlib import Path
from typing import Annotated

import typer

from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption, instant_option
from campaigns.cli.output import notes, print_json
from campaigns.cli.session import open_session
from campaigns.files.customer_problems import CustomerFileError
from campaigns.services.reassigned import COLUMNS, Imported, import_answers

reassigned = typer.Typer(help="Answers of the reassigned-numbers database.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    reassigned.command("import")(import_file)
    app.add_typer(reassigned, name="reassigned")


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSONL with number, askedSince and answer.")],
    answered_at: Annotated[
        str | None,
        typer.Option(help="When the database answered, such as 2026-11-01T12:00:00Z; for rows without answeredAt."),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Another header, such as --column number=phone; can be given again.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take over answers; from then on a number known to be reassigned since its consent is refused."""
    columns, instant = _columns(column or []), instant_option(answered_at, option="--answered-at")
    with open_session() as session:
        try:
            imported = import_answers(
                session.engine, file, columns=columns, answered_at=instant, operator=session.operator
            )
        except CustomerFileError as error:
            raise CommandError(str(error), exit_code=ExitCode.BAD_INPUT) from None
    _tell(imported, as_json=as_json)
    if imported.rejected:
        raise typer.Exit(ExitCode.BAD_ANSWER)


def _columns(given: list[str]) -> dict[str, str]:
    columns = dict(COLUMNS)
    for each in given:
        key, _, header = each.partition("=")
        if key not in columns or not header:
            raise CommandError(
                f"--column {each}: write it as KEY=HEADER, KEY being one of {', '.join(columns)}.",
                exit_code=ExitCode.BAD_INPUT,
            )
        columns[key] = header
    return columns


def _tell(imported: Imported, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "rows": imported.rows,
                "added": imported.added,
                "known": imported.known,
                "rejected": imported.rejected,
                "rejects": [{"row": each.row_number, "message": each.message} for each in imported.rejects],
            }
        )
        return
    console = notes()
    for each in imported.rejects:
        console.print(f"[yellow]row {each.row_number}:[/] {each.message}", soft_wrap=True)
    console.print(f"{imported.added} answers added, {imported.known} known before, {imported.rejected} rows rejected")
