"""Checks that the bodies of several endpoints share, complained about in Vapi's words."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

SHORT = 40
"""Longest `name`, `customer.name`, `customer.externalId`, `customer.email`."""

E164 = re.compile(r"\+[1-9]\d{6,14}")

_SERVER = frozenset({"timeoutSeconds", "credentialId", "staticIpAddressesEnabled", "encryptedPaths", "url", "headers",
                     "backoffPlan"})  # fmt: skip
_BACKOFF = frozenset({"type", "maxRetries", "baseDelaySeconds", "excludedStatusCodes"})


def server_problems(server: object, *, path: str) -> Iterator[str]:
    """Complaints about a `server` block; `path` ends in a dot."""
    yield from object_problems(server, known=_SERVER, path=path)
    if not isinstance(server, Mapping):
        return
    yield from between(server, key="timeoutSeconds", lowest=1, highest=300, path=path)
    plan = server.get("backoffPlan")
    yield from object_problems(plan, known=_BACKOFF, path=f"{path}backoffPlan.")
    if isinstance(plan, Mapping):
        yield from one_of(plan, key="type", allowed=("fixed", "exponential"), path=f"{path}backoffPlan.")
        for key in ("maxRetries", "baseDelaySeconds"):
            yield from between(plan, key=key, lowest=0, highest=10, path=f"{path}backoffPlan.")


def object_problems(value: object, *, known: frozenset[str], path: str) -> Iterator[str]:
    """None is fine: the field is not given."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield f"{path.rstrip('.')} must be an object"
        return
    yield from unknown(value, known=known, path=path)


def unknown(value: Mapping[str, Any], *, known: frozenset[str], path: str) -> Iterator[str]:
    """Properties that Vapi does not have."""
    for key in value:
        if key not in known:
            yield f"{path}property {key} should not exist"


def too_long(value: Mapping[str, Any], *, keys: Iterable[str], path: str, most: int = SHORT) -> Iterator[str]:
    """Texts of more than `most` characters, and what is no text."""
    for key in keys:
        text = value.get(key)
        if text is not None and (not isinstance(text, str) or len(text) > most):
            yield f"{path}{key} must be shorter than or equal to {most} characters"


def missing(value: Mapping[str, Any], *, keys: Iterable[str], path: str = "") -> Iterator[str]:
    """Required texts that are not there."""
    for key in keys:
        if not isinstance(value.get(key), str) or not value[key]:
            yield f"{path}{key} must be a string"


def between(value: Mapping[str, Any], *, key: str, lowest: float, highest: float, path: str) -> Iterator[str]:
    """A number out of its bounds, or no number. Not given is fine."""
    number = value.get(key)
    if number is None:
        return
    if isinstance(number, bool) or not isinstance(number, int | float):
        yield f"{path}{key} must be a number conforming to the specified constraints"
    elif number < lowest:
        yield f"{path}{key} must not be less than {lowest:g}"
    elif number > highest:
        yield f"{path}{key} must not be greater than {highest:g}"


def one_of(value: Mapping[str, Any], *, key: str, allowed: tuple[str, ...], path: str = "") -> Iterator[str]:
    """A word that is not among those allowed."""
    if value.get(key) not in allowed:
        yield f"{path}{key} must be one of the following values: {', '.join(allowed)}"
