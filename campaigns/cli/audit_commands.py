"""`audit verify`, `audit head`: whether the record is what it was, and a witness of it to keep elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from campaigns.cli.errors import CommandError, ExitCode, problem
from campaigns.cli.options import JsonOption
from campaigns.cli.output import answers, notes, print_json
from campaigns.cli.session import open_session
from campaigns.files.ledger_heads import HEADS_NAME, ExportedHead, HeadsFile, HeadsFileError, read_heads
from campaigns.services.audit import Audit, Verification
from campaigns.store.campaigns import record_operation

audit = typer.Typer(help="The record of every permit and refusal: verify it, export its head.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    audit.command("verify")(verify)
    audit.command("head")(head)
    app.add_typer(audit, name="audit")


def verify(
    head_file: Annotated[
        Path | None,
        typer.Option("--head", metavar="FILE", help="Heads exported earlier and kept elsewhere; else this home's own."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute the whole chain of decisions; exit code 0 if it is intact, 1 if not."""
    with open_session() as session:
        file = head_file or _own_heads(session.settings.home)
        found = Audit(session.engine).verify(_anchors(file), kept_here=head_file is None)
    if as_json:
        print_json(found.as_dict())
    else:
        _tell(found)
    if not found.intact:
        raise typer.Exit(ExitCode.BAD_ANSWER)


def head(
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Append it to this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the newest head of the chain, or append it to a file for keeping elsewhere."""
    with open_session() as session:
        newest = Audit(session.engine).head()
        if newest is None:
            raise CommandError("nothing is sealed yet, so there is no head to export.", exit_code=ExitCode.BAD_ANSWER)
        if to is not None:
            _append(newest, to)
            with session.engine.begin() as connection:
                detail = f"row {newest.head.seq}"
                record_operation(
                    connection, operator=session.operator, action="audit head", subject="ledger", detail=detail
                )
    if as_json:
        print_json(newest.as_dict())
    else:
        answers().print(f"{newest.head.seq} {newest.head.link.hex()} sealed {newest.sealed_at.isoformat()}")


def _own_heads(home: Path) -> Path | None:
    """What the sealer wrote on this machine, once it wrote any."""
    path = home / HEADS_NAME
    return path if path.is_file() else None


def _anchors(head_file: Path | None) -> list[ExportedHead]:
    try:
        return read_heads(head_file) if head_file else []
    except HeadsFileError as error:
        item = problem(str(error)) | {"file": str(head_file), "line": error.line}
        raise CommandError(str(error), exit_code=ExitCode.BAD_INPUT, problems=[item]) from None


def _append(newest: ExportedHead, to: Path) -> None:
    try:
        HeadsFile(to).append(newest)
    except OSError as error:
        message = f"{to} cannot be written ({type(error).__name__}); name a file that can."
        raise CommandError(message, exit_code=ExitCode.BAD_INPUT) from None


def _tell(found: Verification) -> None:
    console = answers()
    verdict = "[green]intact[/]" if found.intact else f"[bold red]NOT intact[/]: {found.problem_count} problems"
    console.print(f"{verdict}; {found.sealed} sealed decisions recomputed", soft_wrap=True)
    for each in found.problems:
        console.print(f"  {each.message}", soft_wrap=True, markup=False)
    if found.problem_count > len(found.problems):
        console.print(f"  … and {found.problem_count - len(found.problems)} more")
    if found.unsealed and found.oldest_unsealed is not None:
        age = found.oldest_unsealed.total_seconds()
        console.print(f"{found.unsealed} decisions wait for their seal, the oldest for {age:.1f} s", soft_wrap=True)
    if found.head.seq:
        console.print(f"head: {found.head.seq} {found.head.link.hex()}", soft_wrap=True)
    notes().print(found.limits, soft_wrap=True)
