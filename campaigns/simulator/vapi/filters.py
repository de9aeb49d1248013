"""The query of Vapi's lists: how many, and created or updated when."""

from collections.abc import Iterable, Mapping
from datetime import datetime

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
END_OF_TIME_MS = 1 << 52

TIME_FILTERS = frozenset(f"{what}{bound}" for what in ("createdAt", "updatedAt") for bound in ("Gt", "Lt", "Ge", "Le"))

Span = tuple[int, int]
"""Whole milliseconds, both ends included."""


def refuse_unknown(query: Mapping[str, str], *, known: Iterable[str]) -> None:
    """Raises `ValueError` for a filter that Vapi does not have."""
    if unknown := sorted(set(query) - {"limit", *TIME_FILTERS, *known}):
        raise ValueError(f"property {unknown[0]} should not exist")


def limit_of(query: Mapping[str, str]) -> int:
    """At most this many. Raises `ValueError`."""
    return _whole(query, "limit", default=DEFAULT_LIMIT, lowest=0, highest=MAX_LIMIT)


def page_of(query: Mapping[str, str]) -> int:
    """Counted from 1. Raises `ValueError`."""
    return _whole(query, "page", default=1, lowest=1, highest=END_OF_TIME_MS)


def span_of(query: Mapping[str, str], what: str) -> Span:
    """What the filters on `createdAt` or `updatedAt` let through. Raises `ValueError`."""
    lowest = max(_ms(query, f"{what}Ge", default=0), _ms(query, f"{what}Gt", default=-1) + 1)
    highest = min(_ms(query, f"{what}Le", default=END_OF_TIME_MS), _ms(query, f"{what}Lt", default=END_OF_TIME_MS) - 1)
    return lowest, highest


def within(at_ms: int, span: Span) -> bool:
    """Both ends included."""
    return span[0] <= at_ms <= span[1]


def _whole(query: Mapping[str, str], key: str, *, default: int, lowest: int, highest: int) -> int:
    try:
        number = int(query.get(key, default))
    except ValueError:
        raise ValueError(f"{key} must be an integer number") from None
    if number < lowest:
        raise ValueError(f"{key} must not be less than {lowest}")
    if number > highest:
        raise ValueError(f"{key} must not be greater than {highest}")
    return number


def _ms(query: Mapping[str, str], key: str, *, default: int) -> int:
    if key not in query:
        return default
    try:
        return round(datetime.fromisoformat(query[key]).timestamp() * 1000)
    except ValueError:
        raise ValueError(f"{key} must be a valid ISO 8601 date string") from None
