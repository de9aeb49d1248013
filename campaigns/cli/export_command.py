"""`export`: what became of every customer of a campaign, for a spreadsheet or a program."""

import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from campaigns.cli.control_commands import unknown_campaign
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.options import JsonOption, NameArgument
from campaigns.cli.output import notes, plain, print_json
from campaigns.cli.session import open_session
from campaigns.files.table_file import TableFileError, TableFormat, whole_file, write_rows
from campaigns.services.control import UnknownCampaignError
from campaigns.services.export import COLUMNS, CONVERSATION_COLUMNS, Export, ExportRefusedError
from campaigns.services.roles import Role

STDOUT = Path("-")


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("export")(export)


def export(
    name: NameArgument,
    table_format: Annotated[
        TableFormat, typer.Option("--format", help="csv for spreadsheets, jsonl for programs.")
    ] = TableFormat.CSV,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to; it is there whole or not at all. - is standard output.")
    ] = STDOUT,
    with_conversations: Annotated[
        bool, typer.Option("--with-conversations", help="Also what was said, as far as your role goes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write one row for each attempt of each customer's call; names and numbers by your role (RINGFENCE_ROLE).

    Example: RINGFENCE_ROLE=operator ringfence export spring-renewal --out spring.csv
    """
    if as_json and out == STDOUT:
        raise CommandError("--json needs --out FILE: standard output holds the rows.", exit_code=ExitCode.BAD_INPUT)
    columns = (*COLUMNS, *CONVERSATION_COLUMNS) if with_conversations else COLUMNS
    with open_session() as session:
        role = session.settings.role
        job = Export(session.engine, role=role, operator=session.operator)
        try:
            rows = job.rows(name, with_conversations=with_conversations)
            count = _write(rows, out, columns=columns, table_format=table_format)
        except UnknownCampaignError as error:
            raise unknown_campaign(error, name) from None
        except ExportRefusedError as error:
            raise CommandError(f"{error}.", exit_code=ExitCode.REFUSED) from None
        except TableFileError as error:
            raise CommandError(f"{error}.", exit_code=ExitCode.BAD_INPUT) from None
    masked = job.masked(with_conversations=with_conversations)
    if as_json:
        print_json({"campaign": name, "file": str(out), "rows": count, "role": role.value, "masked": list(masked)})
    else:
        notes().print(plain(_sentence(name, out, count=count, role=role, masked=masked)), soft_wrap=True)


def _write(rows: Iterable[dict[str, Any]], out: Path, *, columns: tuple[str, ...], table_format: TableFormat) -> int:
    if out != STDOUT:
        with whole_file(out) as file:
            return write_rows(file, rows, columns=columns, table_format=table_format)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    try:
        count = write_rows(sys.stdout, rows, columns=columns, table_format=table_format)
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has seen enough; what Python would still flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CommandError("the reader went away before the last row.", exit_code=ExitCode.BAD_ANSWER) from None
    return count


def _sentence(name: str, out: Path, *, count: int, role: Role, masked: tuple[str, ...]) -> str:
    where = "" if out == STDOUT else f" in {out}"
    hidden = f"; masked for the role {role}: {', '.join(masked)}" if masked else ""
    return f"{name}: {'1 row' if count == 1 else f'{count} rows'}{where}{hidden}"
