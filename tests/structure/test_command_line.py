"""What the command line says of itself, and what the documents say of it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from campaigns.cli.main import app

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"(?:^|[$ ]|…)ringfence ([a-z][^#]*)")
NARROW = 80


def commands(command: Any, *words: str) -> Iterator[tuple[str, Any]]:
    """Every command by its words; a group that does something by itself is one, too."""
    inner = getattr(command, "commands", {})
    if not inner or command.invoke_without_command:
        yield " ".join(words), command
    for name, each in inner.items():
        yield from commands(each, *words, name)


COMMANDS = dict(commands(get_command(app)))


def options_of(words: str) -> set[str]:
    found = {name for parameter in COMMANDS[words].params for name in (*parameter.opts, *parameter.secondary_opts)}
    return {name for name in found if name.startswith("--")} | {"--help"}


def typed(text: str) -> list[str]:
    """The commands that a document names, in code blocks and inline, comments left out."""
    blocks = (line for block in FENCED.findall(text) for line in re.sub(r"\\\n\s*", "", block).splitlines())
    inline = (" ".join(code.split()) for code in INLINE.findall(FENCED.sub("", text)))
    return [match[1].strip() for line in (*blocks, *inline) if (match := COMMAND.search(line))]


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def words_of(command: str) -> str | None:
    """The longest command that this text begins with."""
    parts = re.findall(r"\S+", command)
    named = (" ".join(parts[:count]).rstrip(",.;:)") for count in (2, 1))
    return next((words for words in named if words in COMMANDS), None)


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_a_document_names_only_commands_and_options_that_are_there(document: Path) -> None:
    wrong = []
    for command in typed(document.read_text(encoding="utf-8")):
        words = words_of(command)
        if words is None:
            wrong += [command] if re.match(r"[a-z-]+ (?:--|[A-Z])", command) else []
            continue
        unknown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", command)) - options_of(words)
        wrong += [f"{command}: {', '.join(sorted(unknown))}"] if unknown else []
    assert wrong == []


def test_the_readme_lists_every_command_or_the_group_it_belongs_to() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(?:ringfence )?([a-z-]+)", readme))
    assert {words.split()[0] for words in COMMANDS} - listed == set()


@pytest.mark.parametrize("words", COMMANDS)
def test_no_option_is_cut_short_on_a_narrow_terminal(words: str) -> None:
    shown = CliRunner().invoke(app, [*shlex.split(words), "--help"], env={"COLUMNS": str(NARROW)}).output
    assert {option for option in options_of(words) if option not in shown} == set()


def test_commands_about_calls_numbers_and_what_waits_show_an_example() -> None:
    groups = ("calls", "numbers", "attention", "reconcile", "export", "test-call", "simulator", "webhook")
    mute = [
        words
        for words, command in COMMANDS.items()
        if words.startswith(groups) and f"ringfence {words}" not in (command.help or "")
    ]
    assert mute == []
