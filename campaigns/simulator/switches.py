"""Every switch there is, read from the configuration itself: its name, default, values and what it does."""

import ast
import dataclasses
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.fields import Count, FaultStatus, Limit, Share, Span, Weight

_WORDS: tuple[tuple[Any, str], ...] = (
    (Share, "0 to 1"),
    (Weight, "0 or more"),
    (Limit, "0, 1, 2 …"),
    (Count, "1, 2, 3 …"),
    (FaultStatus, "408, 409, 500 to 599"),
    (Span, "[shortest, longest] s"),
    (bool, "true, false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "text"),
)


@dataclass(frozen=True, slots=True)
class Switch:
    """One field of the configuration."""

    name: str
    """As `--set` takes it: `faults.stuck`."""
    values: str
    default: str
    """As JSON, which `--set` and a `--config` file take."""
    meaning: str


@dataclass(frozen=True, slots=True)
class Section:
    """One class of the configuration."""

    name: str
    """Empty for the top level."""
    meaning: str
    switches: tuple[Switch, ...]


def sections() -> Iterator[Section]:
    """The top level first, then each part in the order of its name there."""
    yield from _sections(SimulatorConfig(), name="")


def markdown() -> str:
    """A table for each section."""
    return "\n\n".join(_table(section) for section in sections()) + "\n"


def _sections(part: Any, *, name: str) -> Iterator[Section]:
    inner = [each.name for each in dataclasses.fields(part) if dataclasses.is_dataclass(getattr(part, each.name))]
    yield Section(name, inspect.getdoc(type(part)) or "", tuple(_switches(part, name=name)))
    for each in inner:
        yield from _sections(getattr(part, each), name=_joined(name, each))


def _switches(part: Any, *, name: str) -> Iterator[Switch]:
    hints, meanings = get_type_hints(type(part), include_extras=True), _docstrings(type(part))
    for each in dataclasses.fields(part):
        value = getattr(part, each.name)
        if not dataclasses.is_dataclass(value):
            hint = hints[each.name]
            meaning = " ".join([meanings.get(each.name, ""), *_meanings_of_values(hint)]).strip()
            yield Switch(_joined(name, each.name), _values(hint), json.dumps(value), meaning)


def _docstrings(owner: type) -> Mapping[str, str]:
    """Name → the string that stands below it in the source of its class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    definition = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    found: dict[str, str] = {}
    for statement, after in pairwise(definition.body):
        target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", ())), None)
        if isinstance(target, ast.Name) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[target.id] = " ".join(str(after.value.value).split())
    return found


def _meanings_of_values(hint: Any) -> Iterator[str]:
    """Of an enumeration whose members are explained one by one."""
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        meanings = _docstrings(hint)
        yield from (f"`{member.value}`: {meanings[member.name]}" for member in hint if member.name in meanings)


def _values(hint: Any) -> str:
    if (word := next((word for known, word in _WORDS if hint == known), None)) is not None:
        return word
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return ", ".join(member.value for member in hint)
    return _values_of_parts(hint)


def _values_of_parts(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(str(part) for part in parts)
    if origin is Annotated:
        return _values(parts[0])
    if NoneType in parts:
        return " or ".join([*(_values(part) for part in parts if part is not NoneType), "null"])
    if origin is tuple:
        return f"a list of {_values(parts[0])}"
    return f"an object: {_values(parts[0])} → {_values(parts[1])}"


def _table(section: Section) -> str:
    title = f"### `{section.name}`" if section.name else "### At the top"
    rows = ["| switch | values | default | what it does |", "| --- | --- | --- | --- |"]
    for switch in section.switches:
        cells = (f"`{switch.name}`", switch.values, f"`{switch.default}`", switch.meaning)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([title, "", section.meaning, "", *rows])


def _joined(name: str, inner: str) -> str:
    return f"{name}.{inner}" if name else inner
