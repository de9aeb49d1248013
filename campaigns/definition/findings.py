"""What a check found wrong, before it is known where in the file that stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from pydantic_core import ErrorDetails, PydanticCustomError

from campaigns.definition.yaml_nodes import Path

_OURS = "ringfence"
_LONGEST_QUOTE = 60
"""Enough to recognise a value; a pasted page of text would drown the sentence."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake at `path`. With `on_key`, the key itself is wrong rather than its value."""

    path: Path
    found: str
    allowed: str
    message: str
    nearest: str | None = None
    on_key: bool = False


def flaw(why: str, *, allowed: str, nearest: str | None = None) -> PydanticCustomError:
    """What a field's reader raises: the reason as a half sentence, and what may stand there instead."""
    return PydanticCustomError(_OURS, "{why}", {"why": why, "allowed": allowed, "nearest": nearest})


def nearest_of(text: str, known: Iterable[str]) -> str | None:
    """The known word that `text` most likely means, or None when none is close."""
    return _nearest(text, tuple(known))


@lru_cache(maxsize=1024)
def _nearest(text: str, known: tuple[str, ...]) -> str | None:
    by_lower = {word.lower().replace("_", ""): word for word in known}
    closest = get_close_matches(text.lower().replace("_", ""), by_lower, n=1, cutoff=0.6)
    return by_lower[closest[0]] if closest else None


def describe(value: Any) -> str:
    """The value as `found` shows it: quoted and cut, or only its kind when it is no single text."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case str() if len(value) > _LONGEST_QUOTE:
            return f'"{value[:_LONGEST_QUOTE]}…"'
        case str():
            return f'"{value}"'
    return str(value)[:_LONGEST_QUOTE]


def is_personal(path: Path) -> bool:
    """Whether the value at `path` may tell who a customer is, which no message may repeat."""
    return path[:2] == ("customers", "list") and len(path) > 2 and (len(path) == 3 or path[3] in _PERSONAL)


_PERSONAL = frozenset({"number", "name", "zip", "externalId", "person", "debt", "variables"})


def finding_of(error: ErrorDetails, *, path: Path, keys: Iterable[str]) -> Finding:
    """Put a validation error into our words. `keys` are those that the mapping around it knows."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path, tuple(keys))
    # Pydantic's way to say that the key itself is wrong, not its value.
    on_key = path[-1:] == ("[key]",)
    path = path[:-1] if on_key else path
    if kind == "missing":
        message = f"the key {path[-1]} is missing here"
        return Finding(path, found="nothing", allowed=f"a value for {path[-1]}", message=message)
    found = "a value that is not shown" if is_personal(path) and isinstance(value, str) else describe(value)
    if kind == _OURS:
        return _own(path, found, context, on_key=on_key)
    allowed, nearest = _allowed(kind, context), _nearest_choice(kind, value, context)
    return Finding(path, found, allowed, _sentence(f"found {found}", allowed, nearest), nearest, on_key)


def _unknown_key(path: Path, keys: tuple[str, ...]) -> Finding:
    key = str(path[-1])
    nearest, allowed = nearest_of(key, keys), ", ".join(keys)
    message = _sentence(f"the key {describe(key)} is not known here", allowed, nearest)
    return Finding(path, found=key, allowed=allowed, message=message, nearest=nearest, on_key=True)


def _own(path: Path, found: str, context: dict[str, Any], *, on_key: bool) -> Finding:
    allowed, nearest = str(context["allowed"]), context["nearest"]
    message = _sentence(f"found {found}; {context['why']}", allowed, nearest)
    return Finding(path, found, allowed, message, nearest, on_key=on_key)


def _sentence(start: str, allowed: str, nearest: str | None) -> str:
    return f"{start}; did you mean {nearest}?" if nearest else f"{start}; allowed: {allowed}"


_ALLOWED_BY_KIND = {
    "string_type": "a text",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of ordinary size",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a number",
    "decimal_parsing": "an amount in US dollars, such as 500.00",
    "decimal_type": "an amount in US dollars, such as 500.00",
    "decimal_max_digits": "an amount of at most 12 digits",
    "decimal_max_places": "an amount with at most 4 decimal places",
    "decimal_whole_digits": "an amount of at most 8 digits before the point",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
    "dict_type": "a mapping of keys and values",
    "tuple_type": "a list",
    "list_type": "a list",
}


def _allowed(kind: str, context: dict[str, Any]) -> str:
    match kind:
        case "literal_error" | "enum":
            return ", ".join(_choices(context))
        case "greater_than":
            return f"a number greater than {context['gt']}"
        case "greater_than_equal":
            return f"a number of at least {context['ge']}"
        case "less_than_equal":
            return f"a number of at most {context['le']:,}"
        case "too_short":
            return "a list of at least one"
        case "too_long":
            return f"a list of at most {context['max_length']:,}"
    return _ALLOWED_BY_KIND.get(kind, "a value of another kind")


def _choices(context: dict[str, Any]) -> list[str]:
    """Pydantic tells the choices of an enum or literal as `'a', 'b' or 'c'`."""
    return [part.strip(" '") for part in str(context["expected"]).replace(" or ", ",").split(",")]


def _nearest_choice(kind: str, value: Any, context: dict[str, Any]) -> str | None:
    if kind not in ("literal_error", "enum") or not isinstance(value, str):
        return None
    return nearest_of(value, _choices(context))
