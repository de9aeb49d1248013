"""What the README promises to type is there to be typed."""

import importlib
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE)


def make(*arguments: str) -> str:
    done = subprocess.run(["make", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def test_make_alone_lists_every_target() -> None:
    listed = re.findall(r"^make ([a-z]+)", make(), re.MULTILINE)

    assert listed == TARGETS


@pytest.mark.parametrize("target", ["setup", "demo", "test", "check"])
def test_the_targets_a_newcomer_needs_are_there_and_in_the_readme(target: str) -> None:
    assert target in TARGETS
    assert f"make {target}" in README


def test_the_readme_names_no_target_that_is_not_there() -> None:
    assert set(re.findall(r"`make ([a-z]+)", README)) <= set(TARGETS)


def test_continuous_integration_runs_the_commands_of_the_readme_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    lines = script.read_text(encoding="utf-8").splitlines()

    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in lines
    assert [line for line in lines if line.startswith("make ")] == ["make check", "make test"]
    assert lines[-1] == "make test"


@pytest.mark.parametrize("command", sorted(PROJECT["project"]["scripts"]))
def test_every_console_command_has_its_function(command: str) -> None:
    module, _, function = PROJECT["project"]["scripts"][command].partition(":")

    assert callable(getattr(importlib.import_module(module), function))


def test_the_lock_pins_every_dependency_with_a_hash_and_says_nothing_of_where_from() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = PROJECT["project"]["dependencies"] + extras["embedded"] + extras["dev"]
    names = {re.split(r"[\[<>=~! ;]", requirement)[0].lower() for requirement in wanted}

    assert names - {"ringfence"} <= pinned
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=[a-z0-9])", lock.strip()))
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|\.whl", lock)


def test_everything_we_import_is_a_dependency_of_ours() -> None:
    """What comes along with another package today may be gone tomorrow."""
    ours = {"campaigns", "workers", "config"}
    declared = {re.split(r"[\[<>=~! ;]", text)[0].lower() for text in PROJECT["project"]["dependencies"]}
    known_as = {"yaml": "pyyaml", "prometheus_client": "prometheus-client", "pydantic_core": "pydantic"}
    known_as |= {"kombu": "celery", "starlette": "fastapi", "tornado": "flower", "dateutil": "croniter"}
    known_as |= {"click": "typer", "httpx_aiohttp": "httpx-aiohttp", "pydantic_settings": "pydantic-settings"}

    used = {name for package in ours for path in (ROOT / package).rglob("*.py") for name in top_level_imports(path)}
    missing = {name for name in used - ours if known_as.get(name, name).lower() not in declared}

    assert missing == set()


def top_level_imports(path: Path) -> set[str]:
    import ast
    import sys

    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names
