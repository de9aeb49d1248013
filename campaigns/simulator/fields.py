"""The kinds of values that the parts of the configuration are made of."""

from math import inf
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field


class ConfigError(ValueError):
    """One clear sentence about one field."""


def _ordered(span: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= span[0] <= span[1] < inf:
        raise ValueError("give [shortest, longest] in seconds")
    return span


Span = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""Shortest and longest, in seconds; drawn evenly between."""
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Limit = Annotated[int, Field(ge=0)]


def _proves_nothing(status: int) -> int:
    if status not in (408, 409) and not 500 <= status <= 599:
        raise ValueError("give 408, 409 or a status from 500 to 599: of others a client may conclude something")
    return status


FaultStatus = Annotated[int, AfterValidator(_proves_nothing)]
"""An HTTP status that leaves open whether there is a call."""

STRICT = ConfigDict(extra="forbid")
"""A misspelt switch must not be passed over in silence."""
