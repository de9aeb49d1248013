"""Rows of a JSON Lines file: one flat object a line. Values keep their text, so a number loses no digit."""

import json
from collections.abc import Iterator
from typing import Any

from campaigns.files.customer_problems import SourceItem, SourceProblem, SourceRow


def jsonl_rows(lines: Iterator[str]) -> Iterator[SourceItem]:
    """Every object, blank lines left out."""
    for number, line in enumerate(lines, start=1):
        if original := line.strip():
            yield _row(number, original)


def _row(number: int, original: str) -> SourceItem:
    if "\0" in original:
        shown = original.replace("\0", "\N{SYMBOL FOR NULL}")
        return SourceProblem(number, "nul_byte", "the row holds a NUL byte", shown)
    try:
        value = json.loads(original, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
        values = _texts(value)
    except (ValueError, RecursionError) as error:
        return SourceProblem(number, "bad_json", _sentence(error), original)
    return SourceRow(number, values, original)


def _sentence(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON at column {error.colno}: {error.msg}"
    return str(error)


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError('each line must be an object: {"number": …}')
    return {name.strip(): _text(name, given) for name, given in value.items()}


def _text(name: str, given: Any) -> str:
    match given:
        case str():
            return _plain(name, given)
        case None:
            return ""
        case bool():
            return "true" if given else "false"
        case _:
            raise ValueError(f"{name!r} is no plain value; a row is flat: text, numbers, true, false or null")


def _plain(name: str, text: str) -> str:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{name!r} holds half a surrogate pair, which is no text")
    if "\0" in text:
        raise ValueError(f"{name!r} holds a NUL character")
    return text


def _refuse_constant(constant: str) -> str:
    raise ValueError(f"{constant} is no JSON value")
