"""Imports against a real Postgres: what is in force after them, and after those that failed."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from campaigns.files.list_folders import folder_of
from campaigns.files.list_problems import ListFileError
from campaigns.files.registry import NATIONAL, RegistryFiles
from campaigns.services import registry_import
from campaigns.services.list_import import Imported, ImportRefusedError, ImportRequest
from campaigns.services.registry import read_registry
from campaigns.services.registry_import import ImportRegistry
from campaigns.services.rows_import import ImportRows, RowsOptions
from campaigns.store.lists import active_version
from campaigns.store.suppressions import ListTarget, entries_of

NOW = datetime.now(UTC)
WEEK = timedelta(days=7)
Import = Callable[..., Imported]


@pytest.fixture
def national(database: Engine, tmp_path: Path) -> Import:
    """Import this text as the national registry."""
    importer = ImportRegistry(database, home=tmp_path / "home", operator="ann")

    def run(content: str, *, obtained_at: datetime = NOW - WEEK, codes: str | None = None, **more: Any) -> Imported:
        path = tmp_path / "registry.txt"
        path.write_text(content)
        request = ImportRequest(NATIONAL, [path], obtained_at, "download", **more)
        return importer.run(request, area_codes=frozenset(codes.split(",")) if codes else None)

    return run


@pytest.fixture
def state(database: Engine, tmp_path: Path) -> Import:
    """Import this text as Florida's list, or as another one."""

    def run(content: str, *, obtained_at: datetime = NOW - WEEK, name: str = "US-FL", **more: Any) -> Imported:
        path = tmp_path / "list.txt"
        path.write_text(content)
        importer = ImportRows(database, operator="ann", wait=lambda _: None)
        return importer.run(ImportRequest(name, [path], obtained_at, "download", **more), RowsOptions(ListTarget(name)))

    return run


@pytest.fixture
def listed(database: Engine, tmp_path: Path) -> Callable[[str], bool | None]:
    """What a worker of this machine finds in the version in force."""

    def look(number: str) -> bool | None:
        with database.begin() as connection:
            registry = read_registry(connection, RegistryFiles(tmp_path / "home"), at=NOW)
        return registry.answer(number, rehearsal=False).dnc_national

    return look


def versions(database: Engine) -> list[Any]:
    with database.begin() as connection:
        return connection.execute(text("SELECT numbers, replaced_at IS NULL FROM list_versions ORDER BY id")).all()


def folders(tmp_path: Path) -> set[str]:
    return {path.name for path in folder_of(tmp_path / "home", NATIONAL).iterdir() if path.is_dir()}


def test_a_new_version_replaces_the_old_one_in_one_step(
    national: Import, listed: Callable[[str], bool | None], database: Engine
) -> None:
    national("212,5550123\n")
    assert (listed("+12125550123"), listed("+12125550124")) == (True, False)
    national("212,5550124\n", obtained_at=NOW)
    assert (listed("+12125550123"), listed("+12125550124")) == (False, True)
    assert [tuple(row) for row in versions(database)] == [(1, False), (1, True)]


def test_only_the_version_in_force_and_the_one_before_it_stay_on_the_disk(national: Import, tmp_path: Path) -> None:
    made = [national(f"212,000000{day}\n", obtained_at=NOW - WEEK + timedelta(hours=day)).version for day in range(4)]
    assert folders(tmp_path) == set(made[-2:])


def test_an_import_killed_before_the_switch_leaves_the_old_version_whole(
    national: Import, listed: Callable[[str], bool | None], database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    national("212,5550123\n")
    with monkeypatch.context() as patched:
        patched.setattr(registry_import.ImportRegistry, "_switch", _killed)
        with pytest.raises(KeyboardInterrupt):
            national("212,5550124\n", obtained_at=NOW)
    assert (listed("+12125550123"), listed("+12125550124")) == (True, False)
    assert len(versions(database)) == 1
    national("212,5550124\n", obtained_at=NOW)
    assert listed("+12125550124")


def _killed(*_: object) -> bool:
    raise KeyboardInterrupt


def test_the_same_files_on_another_machine_bring_the_version_there_and_change_nothing(
    national: Import, database: Engine, tmp_path: Path, listed: Callable[[str], bool | None]
) -> None:
    first = national("212,5550123\n")
    (tmp_path / "home").rename(tmp_path / "other machine")
    assert listed("+12125550123") is None, "this machine has no files"
    again = national("212,5550123\n")
    assert (again.changed, again.version) == (False, first.version)
    assert listed("+12125550123")
    assert len(versions(database)) == 1


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("212,5550123\n", {"obtained_at": NOW + WEEK}, "in the future"),
        ("212,5550123\n", {"obtained_at": NOW - 2 * WEEK}, "obtained later"),
        ("212,5550123\n", {"obtained_at": NOW}, "cut short"),
        ("".join(f"646,{n:07}\n" for n in range(100)), {"obtained_at": NOW}, "lacks \\(212\\)"),
        ("name\n", {"obtained_at": NOW}, "no number"),
        ("212,5550123\nx\n", {"obtained_at": NOW}, "line 2"),
        ("212,5550123\n", {"obtained_at": NOW, "codes": "646"}, "--area-codes"),
    ],
)
def test_a_list_that_cannot_be_right_is_refused_and_the_old_one_stays(
    national: Import, database: Engine, tmp_path: Path, content: str, options: dict[str, Any], words: str
) -> None:
    before = national("".join(f"212,{n:07}\n" for n in range(100)))
    with pytest.raises(ImportRefusedError, match=words):
        national(content, **options)
    assert len(versions(database)) == 1
    assert folders(tmp_path) == {before.version}


def test_a_smaller_or_older_list_can_be_insisted_on(national: Import, listed: Callable[[str], bool | None]) -> None:
    national("".join(f"212,{n:07}\n" for n in range(100)))
    national("646,5550123\n", obtained_at=NOW - 2 * WEEK, replace_anyway=True)
    assert listed("+16465550123")
    assert listed("+12120000001") is None


def test_a_covered_area_code_in_which_nobody_objected_says_so(
    national: Import, listed: Callable[[str], bool | None]
) -> None:
    national("212,5550123\n", codes="212,646")
    assert listed("+16465550123") is False
    assert listed("+13055550123") is None


def test_the_import_is_on_record_with_its_source_scope_and_digest(national: Import, database: Engine) -> None:
    imported = national("212,5550123\n", subscription="12345-6789")
    with database.begin() as connection:
        version = active_version(connection, NATIONAL)
    assert version is not None
    assert (version.source, version.subscription, version.imported_by) == ("download", "12345-6789", "ann")
    assert (version.area_codes, version.obtained_at) == (["212"], NOW - WEEK)
    assert version.sha256 == imported.sha256


def test_a_change_list_changes_nothing(national: Import, database: Engine) -> None:
    with pytest.raises(ListFileError, match="change list"):
        national("212,5550123,2026-11-01,D\n")
    assert versions(database) == []


def test_a_states_list_ends_what_it_lacks_and_keeps_what_a_hand_added(state: Import, database: Engine) -> None:
    def on_list(number: str) -> list[str]:
        with database.begin() as connection:
            return [entry.list_name for entry in entries_of(connection, number)]

    numbers = [f"+1212555{n:04}" for n in range(20)]
    state("\n".join(numbers))
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO suppressions (number, list_name, source, added_by) "
                "VALUES ('+13055550100', 'US-FL', 'letter', 'bob')"
            )
        )
    second = state("\n".join(numbers[1:]), obtained_at=NOW)
    assert (second.added, second.ended) == (0, 1)
    assert on_list(numbers[0]) == []
    assert on_list(numbers[1]) == ["US-FL"]
    assert on_list("+13055550100") == ["US-FL"]


def test_a_list_of_our_own_only_grows_by_an_import(state: Import, database: Engine) -> None:
    state("2125550123\n", name="internal", obtained_at=NOW)
    grown = state("2125550124\n", name="internal", obtained_at=NOW)
    assert (grown.added, grown.ended) == (1, 0)
    again = state("2125550124\n", name="internal", obtained_at=NOW + timedelta(seconds=1))
    assert (again.changed, len(versions(database))) == (False, 2)


def test_a_states_list_that_was_obtained_again_is_as_good_as_new(state: Import, database: Engine) -> None:
    state("2125550123\n")
    assert state("2125550123\n").changed is False
    assert state("2125550123\n", obtained_at=NOW).changed
    assert len(versions(database)) == 2


def test_of_our_own_list_everybody_who_can_be_read_is_added(state: Import) -> None:
    imported = state("2125550123\nnobody\n", name="internal", obtained_at=NOW)
    assert (imported.added, imported.rejects.count) == (1, 1)
    with pytest.raises(ImportRefusedError, match="no numbers"):
        state("2125550123\nnobody\n")


def test_an_import_of_rows_that_fails_leaves_the_list_as_it_was(
    state: Import, database: Engine, tmp_path: Path
) -> None:
    state("\n".join(f"212555{n:04}" for n in range(100)))
    with pytest.raises(ImportRefusedError, match="cut short"):
        state("2125550123\n", obtained_at=NOW)
    with database.begin() as connection:
        assert (
            connection.execute(text("SELECT count(*) FROM suppressions WHERE removed_at IS NULL")).scalar_one() == 100
        )


def test_two_imports_of_one_list_at_once_do_not_mix(state: Import, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended('US-FL', :seed))"), {"seed": 0x52_46_4C_49}
        )
        with pytest.raises(ImportRefusedError, match="another import"):
            state("2125550123\n")


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from campaigns.services import registry_import
from campaigns.services.list_import import ImportRequest
from campaigns.store.engine import open_engine

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

holder, name = {
    "reading": (registry_import.BitWriter, "finish"),
    "placing": (registry_import, "place"),
    "switching": (registry_import.rows, "put_in_force"),
    "clearing": (registry_import, "remove_others"),
}[sys.argv[4]]
setattr(holder, name, kill)
request = ImportRequest("national", [Path(sys.argv[3])], datetime.now(UTC), "download")
registry_import.ImportRegistry(open_engine(sys.argv[1]), home=Path(sys.argv[2]), operator="ann").run(request)
"""


@pytest.mark.parametrize("at", ["reading", "placing", "switching", "clearing"])
def test_kill_9_at_any_step_leaves_one_whole_version_in_force(
    national: Import,
    listed: Callable[[str], bool | None],
    database: Engine,
    database_url: str,
    tmp_path: Path,
    at: str,
) -> None:
    national("212,5550123\n")
    (tmp_path / "new.txt").write_text("212,5550124\n")
    arguments = [database_url, str(tmp_path / "home"), str(tmp_path / "new.txt"), at]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert killed.returncode == -signal.SIGKILL
    new_is_in_force = at == "clearing"
    assert (listed("+12125550123"), listed("+12125550124")) == (not new_is_in_force, new_is_in_force)
    national("212,5550125\n", obtained_at=datetime.now(UTC))
    assert listed("+12125550125")
    assert not [name for name in folders(tmp_path) if name.startswith(".importing")]
