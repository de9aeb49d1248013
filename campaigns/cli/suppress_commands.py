"""`suppress add`, `remove`, `import`, `check`, `lists`: the do-not-call lists."""

from pathlib import Path
from typing import Annotated

import typer

from campaigns.cli import suppress_view as view
from campaigns.cli.errors import CommandError, ExitCode
from campaigns.cli.list_options import (
    read_area_codes,
    read_expiry,
    read_numbers,
    read_obtained,
    read_target,
    require_rows,
)
from campaigns.cli.options import JsonOption
from campaigns.cli.output import notes
from campaigns.cli.session import Session, open_session, wait
from campaigns.files.list_folders import ListBusyError
from campaigns.files.list_problems import ListFileError
from campaigns.files.registry import NATIONAL, RegistryFiles
from campaigns.runtime.law import gatekeeper
from campaigns.services.list_import import Imported, ImportRefusedError, ImportRequest
from campaigns.services.list_look import LookAtLists
from campaigns.services.registry_import import ImportRegistry
from campaigns.services.rows_import import ImportRows, RowsOptions
from campaigns.services.suppress import INTERNAL, RemovalRefusedError, Suppress, doubts_about
from campaigns.store.suppressions import ListTarget

suppress = typer.Typer(help="Do-not-call lists: who is never dialed, and who says so.", no_args_is_help=True)

NumbersArgument = Annotated[list[str], typer.Argument(metavar="NUMBER…", help="Phone numbers, such as +12025550123.")]
ListOption = Annotated[
    str,
    typer.Option("--list", help="internal, litigator, US-FL and the like, seller:NAME, campaign:NAME, or national."),
]
ScopeOption = Annotated[str, typer.Option(help="Whose calls it stops: all, seller:NAME or campaign:NAME.")]
ExpiresOption = Annotated[str | None, typer.Option(help="When the entries end; never if left out.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (add, remove, check, lists):
        suppress.command(command.__name__)(command)
    suppress.command("import")(import_files)
    app.add_typer(suppress, name="suppress")


def add(
    numbers: NumbersArgument,
    list_name: ListOption = INTERNAL,
    scope: ScopeOption = "",
    expires: ExpiresOption = None,
    source: Annotated[str, typer.Option(help="How they came here: letter, call, court order …")] = "operator",
    as_json: JsonOption = False,
) -> None:
    """Put numbers on a list. When this returns, about a second later, no request to them can leave any more."""
    target, expires_at, given = _rows_target(list_name, scope), read_expiry(expires), read_numbers(numbers)
    with open_session() as session:
        doubts = doubts_about(session.engine, target)
        added = Suppress(session.engine, operator=session.operator, wait=wait).add(
            given, target, source=source, expires_at=expires_at
        )
    view.tell_added(target, given=len(set(given)), added=added, expires_at=expires_at, doubts=doubts, as_json=as_json)


def remove(
    numbers: NumbersArgument,
    list_name: ListOption = INTERNAL,
    scope: ScopeOption = "",
    reason: Annotated[str, typer.Option(help="Why; required to leave the internal list.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Take numbers off a list; the entries stay on record, with who ended them and why."""
    target, given = _rows_target(list_name, scope), read_numbers(numbers)
    with open_session() as session:
        try:
            removed = Suppress(session.engine, operator=session.operator, wait=wait).remove(
                given, target, reason=reason
            )
        except RemovalRefusedError as error:
            raise CommandError(f"{error}.", exit_code=ExitCode.REFUSED) from None
    view.tell_removed(target, given=len(set(given)), removed=len(removed), as_json=as_json)


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="The list's files, zipped or not: one version.")],
    list_name: ListOption,
    obtained_at: Annotated[str | None, typer.Option(help="When it was downloaded: a date or an instant.")] = None,
    area_codes: Annotated[
        str | None, typer.Option(help="National only: what it covers, such as 212,646; else the codes found in it.")
    ] = None,
    subscription: Annotated[
        str | None, typer.Option(help="The account number under which it was obtained; kept on record.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="The header of the number's column, if the file is a CSV with more in it.")
    ] = None,
    scope: ScopeOption = "",
    expires: ExpiresOption = None,
    source: Annotated[str | None, typer.Option(help="Where it came from; the files' names if left out.")] = None,
    replace_anyway: Annotated[
        bool, typer.Option("--replace-anyway", help="Even if it is older or much smaller than the one in force.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Import a list. The national registry and a state's replace their version whole; the others grow."""
    target = read_target(list_name, scope)
    request = ImportRequest(
        list_name=target.list_name,
        paths=files,
        obtained_at=read_obtained(obtained_at, target=target),
        source=source or ", ".join(path.name for path in files),
        subscription=subscription,
        replace_anyway=replace_anyway,
    )
    national = target.list_name == NATIONAL
    _refuse_options(national, area_codes=area_codes, column=column, expires=expires, scope=scope)
    codes, rows = read_area_codes(area_codes), RowsOptions(target, _header(column), read_expiry(expires))
    with open_session() as session:
        imported = _import(session, request, codes=codes) if national else _import(session, request, rows=rows)
    view.tell_imported(imported, request, as_json=as_json)
    if imported.rejects.count:
        raise typer.Exit(ExitCode.BAD_ANSWER)


def check(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="A phone number, such as +12025550123.")],
    as_json: JsonOption = False,
) -> None:
    """Every list that says something of a number, with its version and age."""
    (given,) = read_numbers([number])
    with open_session() as session:
        view.show_number(_look(session).at_number(given), as_json=as_json)


def lists(as_json: JsonOption = False) -> None:
    """Which lists there are: how many numbers, how old, what they cover."""
    with open_session() as session:
        view.show_overview(_look(session).overview(), as_json=as_json)


def _look(session: Session) -> LookAtLists:
    return LookAtLists(session.engine, gatekeeper().rules, RegistryFiles(session.settings.home))


def _rows_target(list_name: str, scope: str) -> ListTarget:
    target = read_target(list_name, scope)
    require_rows(target)
    return target


def _import(
    session: Session,
    request: ImportRequest,
    *,
    codes: frozenset[str] | None = None,
    rows: RowsOptions | None = None,
) -> Imported:
    try:
        if rows is not None:
            return ImportRows(session.engine, operator=session.operator, wait=wait).run(request, rows)
        importer = ImportRegistry(session.engine, home=session.settings.home, operator=session.operator)
        with notes().status("reading …") as status:
            return importer.run(
                request,
                area_codes=codes,
                on_lines=lambda lines: status.update(f"reading … {lines:,} lines"),
            )
    except ListFileError as error:
        raise CommandError(f"{error}; nothing was changed.", exit_code=ExitCode.BAD_INPUT) from None
    except (ImportRefusedError, ListBusyError) as error:
        raise CommandError(f"{error}; nothing was changed.", exit_code=ExitCode.REFUSED) from None


def _header(column: str | None) -> str | None:
    """`--column phone`; `number=phone`, as other imports write it, is the same."""
    return column.removeprefix("number=") if column else None


def _refuse_options(national: bool, **options: str | None) -> None:
    """An option without effect must not look as if it worked."""
    useless = ("column", "expires", "scope") if national else ("area_codes",)
    given = [f"--{name.replace('_', '-')}" for name in useless if options[name]]
    if given:
        kind = "the national registry" if national else "a list that is kept in rows"
        raise CommandError(f"{given[0]} has no meaning for {kind}; leave it out.", exit_code=ExitCode.BAD_INPUT)
