"""Fields of a provider's JSON, which may hold anything: read into what we can use, or into nothing."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from campaigns.providers.words import writable


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def text(value: object) -> str | None:
    """The value if it is text with something in it, fit to be kept, at most 200 characters."""
    return writable(value.strip()) if isinstance(value, str) and value.strip() else None


def whole(value: object) -> int | None:
    """A whole number, written as a number or as its digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def amount(value: object) -> float | None:
    """A finite number; None too for what JSON readers let through and a column cannot hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def instant(value: object) -> datetime | None:
    """ISO 8601 text or milliseconds since 1970 as an aware UTC instant; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value / 1000, tz=UTC)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def uuid_of(value: object) -> UUID | None:
    """The value if it is a UUID's text."""
    if not isinstance(value, str):
        return None
    try:
        return UUID(value)
    except ValueError:
        return None
