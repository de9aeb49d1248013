"""Texts with `{column}` in them: the assistant's variables, filled in for each customer."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from campaigns.definition.yaml_nodes import Path

CUSTOMER_PLACEHOLDERS = ("number", "name", "zip", "state", "timezone", "externalId", "person")
"""What every customer has, given or empty, whatever the list calls the column; other names are the list's own."""

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_DOUBLED = re.compile(r"\{\{[\w .-]+\}\}")


class TemplateError(ValueError):
    """The text is no template, or a placeholder has no value. Names the placeholder, never a value."""


def placeholders(template: str) -> tuple[str, ...]:
    """The names in braces, in order, each once. `{{` and `}}` are literal braces.

    Raises `TemplateError` for a brace without its partner, an empty name, or `{{name}}`, the provider's own syntax.
    """
    if _DOUBLED.search(template):
        raise TemplateError("double braces are the provider's own syntax; a column is written in single braces, {name}")
    return tuple(dict.fromkeys(_names(template)))


def _names(template: str) -> Iterator[str]:
    for piece in _PIECE.finditer(template):
        if piece[0] in ("{", "}"):
            raise TemplateError("a brace has no partner; write {{ or }} for a literal brace")
        if piece[1] is not None:
            if not piece[1].strip():
                raise TemplateError("the braces are empty; write the name of a column between them")
            yield piece[1].strip()


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with every `{name}` replaced. Raises `TemplateError` for a name that `values` lacks."""

    def value_of(piece: re.Match[str]) -> str:
        if piece[0] in ("{{", "}}"):
            return piece[0][0]
        name = (piece[1] or "").strip()
        if name not in values:
            raise TemplateError(f"the customer has no value for {{{name}}}")
        return values[name]

    return _PIECE.sub(value_of, template)


def texts_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in data as JSON knows it, with where it stands; keys are no texts."""
    match value:
        case str():
            yield path, value
        case Mapping():
            for key, each in value.items():
                yield from texts_in(each, (*path, key))
        case list():
            for index, each in enumerate(value):
                yield from texts_in(each, (*path, index))


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """The data with every text in it filled. Raises `TemplateError` for a name that `values` lacks."""
    match value:
        case str():
            return fill(value, values)
        case Mapping():
            return {key: filled(each, values) for key, each in value.items()}
        case list():
            return [filled(each, values) for each in value]
    return value


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The data with every placeholder that `names` has called by its new name; literal braces stay."""

    def new_name(piece: re.Match[str]) -> str:
        name = (piece[1] or "").strip()
        return f"{{{names[name]}}}" if name in names else piece[0]

    match value:
        case str():
            return _PIECE.sub(new_name, value)
        case Mapping():
            return {key: renamed(each, names) for key, each in value.items()}
        case list():
            return [renamed(each, names) for each in value]
    return value
