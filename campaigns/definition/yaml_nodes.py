"""A YAML document as a tree that remembers where everything stands.

Scalars stay text: whether `no` is a word and `09:00` a time is for the schema to say, not for YAML 1.1 to guess.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]
"""Keys and list indices from the root, as in `("customers", "list", 3, "zip")`."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    text: str
    plain: bool
    """Written without quotes or block markers."""
    mark: Mark


@dataclass(slots=True)
class Sequenced:
    mark: Mark
    items: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Mapped:
    mark: Mark
    entries: dict[str, "Entry"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    key_mark: Mark
    value: "Node"


Node = Scalar | Sequenced | Mapped

_NOTHING = frozenset({"", "~", "null"})
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(\.[0-9]{1,17})?(?:[eE][-+]?[0-9]{1,2})?")
"""As JSON writes numbers, and short enough to be held exactly. `007`, `+1212…` and longer ids stay text."""


def text_value(node: Node) -> Any:
    """The node as str, list, dict or None (an empty plain scalar, `~` or `null`)."""
    match node:
        case Scalar():
            return None if node.plain and node.text in _NOTHING else node.text
        case Sequenced():
            return [text_value(item) for item in node.items]
        case Mapped():
            return {key: text_value(entry.value) for key, entry in node.entries.items()}


def json_value(node: Node) -> Any:
    """Like `text_value`, but plain `true`, `false` and numbers become what JSON would make of them."""
    match node:
        case Scalar():
            return _json_scalar(node)
        case Sequenced():
            return [json_value(item) for item in node.items]
        case Mapped():
            return {key: json_value(entry.value) for key, entry in node.entries.items()}


def _json_scalar(node: Scalar) -> Any:
    if not node.plain:
        return node.text
    if node.text in ("true", "false"):
        return node.text == "true"
    number = _JSON_NUMBER.fullmatch(node.text)
    if number is None:
        return text_value(node)
    return float(node.text) if number[1] or "e" in node.text.lower() else int(node.text)


def find_mark(root: Node, path: Sequence[str | int], *, on_key: bool = False) -> Mark:
    """Where `path` stands; the nearest enclosing place when the path is not (wholly) in the file.

    With `on_key`, the place of the last key itself rather than of its value.
    """
    mark, node = root.mark, root
    for step, key in enumerate(path):
        last = step == len(path) - 1
        if isinstance(node, Mapped) and key in node.entries:
            entry = node.entries[str(key)]
            mark, node = (entry.key_mark if last and on_key else entry.value.mark), entry.value
        elif isinstance(node, Mapped) and last:
            return _opening(root, path[:-1]) or mark
        elif isinstance(node, Sequenced) and isinstance(key, int) and key < len(node.items):
            node = node.items[key]
            mark = node.mark
        else:
            return mark
    return mark


def _opening(root: Node, path: Sequence[str | int]) -> Mark | None:
    """For a key that is missing: the key of the mapping that lacks it, where a writer would look first."""
    return find_mark(root, path, on_key=True) if path else None
