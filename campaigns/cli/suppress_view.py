"""How `suppress` answers: one object for programs, sentences and a table for people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Table

from campaigns.cli.output import answers, notes, plain, print_json
from campaigns.services.list_import import Imported, ImportRequest
from campaigns.services.list_look import ListState, NumberLists, Overview
from campaigns.services.registry import RegistryAnswer
from campaigns.store.suppressions import Entry, ListTarget


def tell_added(
    target: ListTarget,
    *,
    given: int,
    added: int,
    expires_at: datetime | None,
    doubts: Sequence[str],
    as_json: bool,
) -> None:
    """After `suppress add`; `doubts`: why the entries may not do what was meant."""
    for doubt in doubts:
        notes().print(f"[yellow]warning:[/] {plain(doubt)}", soft_wrap=True)
    if as_json:
        counts = {"numbers": given, "added": added, "expires_at": _iso(expires_at)}
        print_json({**_target(target), **counts, "warnings": list(doubts)})
    else:
        known = f"; {given - added} were on it before" if added < given else ""
        notes().print(plain(f"{target.list_name}: {added} added{known}"), soft_wrap=True)


def tell_removed(target: ListTarget, *, given: int, removed: int, as_json: bool) -> None:
    """After `suppress remove`."""
    if as_json:
        print_json({**_target(target), "numbers": given, "removed": removed})
    else:
        absent = f"; {given - removed} were not on it" if removed < given else ""
        notes().print(plain(f"{target.list_name}: {removed} removed{absent}"), soft_wrap=True)


def tell_imported(imported: Imported, request: ImportRequest, *, as_json: bool) -> None:
    """After `suppress import`: what is in force now, and which lines were no numbers."""
    if as_json:
        print_json(_imported(imported, request))
        return
    console = notes()
    for reject in imported.rejects.first:
        console.print(plain(f"{reject.file}, line {reject.line}: {reject.reason}"), soft_wrap=True)
    if imported.rejects.count:
        console.print(f"[yellow]{imported.rejects.count:,} lines were left out[/]", soft_wrap=True)
    console.print(plain(_import_sentence(imported)), soft_wrap=True)


def _import_sentence(imported: Imported) -> str:
    scope = f" of {len(imported.area_codes)} area codes" if imported.area_codes else ""
    what = f"{imported.list_name}: {imported.numbers:,} numbers{scope}"
    if not imported.changed:
        return f"{what}; this very version was in force before, nothing was changed"
    if imported.version:
        return f"{what} are in force, version {imported.version}"
    return f"{what}; {imported.added:,} added, {imported.ended:,} ended"


def _imported(imported: Imported, request: ImportRequest) -> dict[str, Any]:
    return {
        "list": imported.list_name,
        "changed": imported.changed,
        "numbers": imported.numbers,
        "added": imported.added,
        "ended": imported.ended,
        "version": imported.version,
        "obtained_at": _iso(request.obtained_at),
        "source": request.source,
        "sha256": imported.sha256,
        "area_codes": list(imported.area_codes),
        "rejects": {
            "count": imported.rejects.count,
            "first": [{"file": each.file, "line": each.line, "reason": each.reason} for each in imported.rejects.first],
        },
    }


def show_number(found: NumberLists, *, as_json: bool) -> None:
    """After `suppress check`."""
    if as_json:
        print_json(
            {
                "number": found.number,
                "listed": found.is_listed,
                "entries": [_entry(entry) for entry in found.entries],
                "national": _registry(found.registry),
                "lists": [_state(state) for state in found.lists],
            }
        )
        return
    console = answers()
    console.print(f"{found.number}: {'on a list' if found.is_listed else 'on no list'}")
    for entry in found.entries:
        console.print(plain(f"  {_entry_sentence(entry)}"), soft_wrap=True)
    console.print(f"  national: {_registry_sentence(found.registry)}")
    for state in found.lists:
        console.print(plain(f"  {state.list_name}: {_age_sentence(state)}"), soft_wrap=True)


def _entry_sentence(entry: Entry) -> str:
    whose = f" for {entry.scope} {entry.scope_value}" if entry.scope_value else ""
    until = f", until {_iso(entry.expires_at)}" if entry.expires_at else ""
    return f"{entry.list_name}{whose}: added {_iso(entry.added_at)} by {entry.added_by}, {entry.source}{until}"


def _registry_sentence(answer: RegistryAnswer) -> str:
    if answer.dnc_registry == "missing":
        return "no version was imported, so sales calls are refused"
    if answer.dnc_registry == "unreadable":
        return "this machine cannot read the version in force; import it here again"
    if not answer.dnc_covered:
        return "the version in force does not cover this area code, so sales calls are refused"
    return "listed" if answer.dnc_national else "not listed"


def _age_sentence(state: ListState) -> str:
    if state.version is None or state.age is None:
        return "never imported"
    stale = "; too old for sales calls" if state.is_stale else ""
    return f"obtained {_iso(state.version.obtained_at)}, {state.age.days} days old{stale}"


def show_overview(found: Overview, *, as_json: bool) -> None:
    """After `suppress lists`."""
    if as_json:
        print_json(
            {"lists": [_state(state) for state in found.lists], "missing_state_lists": list(found.missing_states)}
        )
        return
    table = Table(box=None, pad_edge=False)
    for title in ("list", "numbers", "obtained", "covers", "source"):
        table.add_column(title, justify="right" if title == "numbers" else "left")
    for state in found.lists:
        source = state.version.source if state.version else ""
        covers = f"{len(state.version.area_codes)} area codes" if state.version and state.version.area_codes else ""
        table.add_row(plain(state.list_name), f"{state.numbers:,}", _age_sentence(state), covers, plain(source))
    answers().print(table)
    if found.missing_states:
        notes().print(
            f"not imported, though these states keep a list: {', '.join(found.missing_states)}", soft_wrap=True
        )


def _target(target: ListTarget) -> dict[str, Any]:
    return {"list": target.list_name, "scope": target.scope, "scope_value": target.scope_value}


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "list": entry.list_name,
        "scope": entry.scope,
        "scope_value": entry.scope_value,
        "source": entry.source,
        "added_at": _iso(entry.added_at),
        "added_by": entry.added_by,
        "expires_at": _iso(entry.expires_at),
        "note": entry.note,
    }


def _registry(answer: RegistryAnswer) -> dict[str, Any]:
    return {
        "state": answer.dnc_registry,
        "covered": answer.dnc_covered,
        "listed": answer.dnc_national,
        "age_days": answer.dnc_list_age.days if answer.dnc_list_age is not None else None,
    }


def _state(state: ListState) -> dict[str, Any]:
    version = state.version
    return {
        "list": state.list_name,
        "numbers": state.numbers,
        "obtained_at": _iso(version.obtained_at) if version else None,
        "age_days": state.age.days if state.age is not None else None,
        "stale": state.is_stale,
        "version": version.folder if version else None,
        "area_codes": list(version.area_codes) if version else [],
        "source": version.source if version else None,
        "subscription": version.subscription if version else None,
        "sha256": version.sha256 if version else None,
        "rejects": version.rejects if version else None,
        "imported_at": _iso(version.imported_at) if version else None,
        "imported_by": version.imported_by if version else None,
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
