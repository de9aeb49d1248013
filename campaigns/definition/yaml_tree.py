"""From YAML events to the tree, in one pass without recursion, within bounds that no honest file comes near."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

import yaml

from campaigns.definition.yaml_nodes import Entry, Mapped, Mark, Node, Path, Scalar, Sequenced

MAX_DEPTH = 20
"""The deepest campaign file, an inline assistant with tools, nests about 12 levels."""
MAX_NODES = 1_000_000
"""10,000 inline customers with 20 variables each are about 500,000 keys and values, aliases counted as written out."""


class YamlFlawError(Exception):
    """The text is YAML that a campaign file may not be. Carries the place and what is allowed instead."""

    def __init__(self, mark: Mark | None, *, found: str, allowed: str) -> None:
        super().__init__(found)
        self.mark, self.found, self.allowed = mark, found, allowed


@dataclass(frozen=True, slots=True)
class DuplicateKey:
    path: Path
    mark: Mark
    first: Mark


@dataclass(frozen=True, slots=True)
class _Anchored:
    node: Node
    nodes: int
    """Nodes in it, aliases written out."""
    depth: int


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open."""

    container: Mapped | Sequenced
    anchor: str | None
    nodes_before: int
    key: str | None = None
    key_mark: Mark = field(default=Mark(1, 1))
    depth_below: int = 0

    def step(self) -> str | int:
        """The key or index at which the next child goes."""
        return len(self.container.items) if isinstance(self.container, Sequenced) else self.key or ""


class TreeBuilder:
    """Feed it the events of one document; `root` is the tree, `duplicates` the keys that stood twice."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.duplicates: list[DuplicateKey] = []
        self._open: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._nodes = 0
        self._documents = 0

    def consume(self, events: Iterable[yaml.Event]) -> None:
        """Raises `YamlFlawError` at the first thing that makes the rest meaningless."""
        for event in events:
            self._take(event)

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._refuse_tag(event)
                self._add_leaf(_scalar(event), anchor=event.anchor)
            case yaml.MappingStartEvent():
                self._begin(Mapped(_mark(event)), event)
            case yaml.SequenceStartEvent():
                self._begin(Sequenced(_mark(event)), event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()
            case yaml.AliasEvent():
                self._add_alias(event)
            case yaml.DocumentStartEvent():
                self._begin_document(event)

    def _begin_document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            _refuse(event, found="a second YAML document", allowed="one document; remove the line ---")

    def _begin(self, container: Mapped | Sequenced, event: yaml.CollectionStartEvent) -> None:
        self._refuse_tag(event)
        if self._expects_key():
            _refuse(event, found="a list or mapping as a key", allowed="a plain word as a key; quote a {template}")
        if len(self._open) >= MAX_DEPTH:
            _refuse(event, found=f"nesting deeper than {MAX_DEPTH} levels", allowed=f"at most {MAX_DEPTH} levels")
        self._count(1, event)
        self._open.append(_Frame(container, event.anchor, nodes_before=self._nodes - 1))

    def _end(self) -> None:
        frame = self._open.pop()
        depth = frame.depth_below + 1
        self._remember(frame.anchor, _Anchored(frame.container, nodes=self._nodes - frame.nodes_before, depth=depth))
        self._place(frame.container, depth=depth)

    def _add_leaf(self, scalar: Scalar, *, anchor: str | None) -> None:
        self._count(1, scalar.mark)
        self._remember(anchor, _Anchored(scalar, nodes=1, depth=0))
        if self._expects_key():
            self._begin_entry(scalar)
        else:
            self._place(scalar, depth=0)

    def _add_alias(self, event: yaml.AliasEvent) -> None:
        anchored = self._anchors.get(str(event.anchor))
        if anchored is None:
            _refuse(
                event, found="an alias (*) without an anchor (&) before it", allowed="text in quotes, if * is meant"
            )
        if len(self._open) + anchored.depth > MAX_DEPTH:
            _refuse(event, found=f"nesting deeper than {MAX_DEPTH} levels", allowed=f"at most {MAX_DEPTH} levels")
        self._count(anchored.nodes, event)
        if not self._expects_key():
            self._place(anchored.node, depth=anchored.depth)
        elif isinstance(anchored.node, Scalar):
            self._begin_entry(Scalar(anchored.node.text, plain=anchored.node.plain, mark=_mark(event)))
        else:
            _refuse(event, found="a list or mapping as a key", allowed="a plain word as a key")

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].container, Mapped) and self._open[-1].key is None

    def _begin_entry(self, key: Scalar) -> None:
        if key.plain and key.text == "<<":
            _refuse(key.mark, found="a merge key (<<)", allowed="the keys written out, or one alias for a whole value")
        self._open[-1].key, self._open[-1].key_mark = key.text, key.mark

    def _place(self, node: Node, *, depth: int) -> None:
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        frame.depth_below = max(frame.depth_below, depth)
        if isinstance(frame.container, Sequenced):
            frame.container.items.append(node)
        else:
            self._place_entry(frame.container, frame, node)

    def _place_entry(self, container: Mapped, frame: _Frame, node: Node) -> None:
        key = frame.key or ""
        if key in container.entries:
            path = tuple(each.step() for each in self._open)
            self.duplicates.append(DuplicateKey(path, frame.key_mark, first=container.entries[key].key_mark))
        else:
            container.entries[key] = Entry(frame.key_mark, node)
        frame.key = None

    def _remember(self, anchor: str | None, anchored: _Anchored) -> None:
        if anchor is not None:
            self._anchors[anchor] = anchored

    def _count(self, nodes: int, at: yaml.Event | Mark) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            _refuse(at, found=f"more than {MAX_NODES:,} keys and values, aliases written out", allowed=_SMALLER)

    def _refuse_tag(self, event: yaml.NodeEvent) -> None:
        if getattr(event, "tag", None) is not None:
            _refuse(event, found="a YAML tag (!)", allowed="plain YAML without tags; text in quotes, if ! is meant")


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""A NUL or half a surrogate pair: Postgres cannot store it, yet an escape in double quotes can write it."""

_SMALLER = "a smaller file; put the customers into a CSV or JSONL file and name it in customers.file"


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    text = str(event.value)
    if _UNSTORABLE.search(text):
        _refuse(event, found="an escape for a character that is no text", allowed="printable text")
    return Scalar(text, plain=not event.style, mark=_mark(event))


def _mark(event: yaml.Event) -> Mark:
    start = event.start_mark
    return Mark(start.line + 1, start.column + 1) if start else Mark(1, 1)


def _refuse(at: yaml.Event | Mark, *, found: str, allowed: str) -> NoReturn:
    raise YamlFlawError(at if isinstance(at, Mark) else _mark(at), found=found, allowed=allowed)
