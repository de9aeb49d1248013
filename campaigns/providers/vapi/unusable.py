"""What cannot be sent to Vapi, found before anything leaves."""

from collections.abc import Mapping
from typing import Any


class UnusableRequestError(ValueError):
    """The campaign's `assistant` block or voicemail action cannot be sent to Vapi. Says which key, never its value."""


class UnusableCustomerError(ValueError):
    """A value of this customer makes the call impossible; the others' may go on. Says which key, never its value."""


def part_of(block: Mapping[str, Any], key: str, *, path: str = "assistant") -> Mapping[str, Any]:
    """The mapping under a key, empty if there is none. Raises `UnusableRequestError` for anything else."""
    part = block.get(key) or {}
    if not isinstance(part, Mapping):
        raise UnusableRequestError(f"{path}.{key}: found a {type(part).__name__}; give a mapping")
    return part
