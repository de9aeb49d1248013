"""The kinds of values that the parts of the configuration are made of."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field


class ConfigError(ValueError):
    """One clear sentence about one field."""


def _ordered(span: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= span[0] <= span[1]:
        raise ValueError("give [shortest, longest] in seconds")
    return span


Span = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""Shortest and longest, in seconds; drawn evenly between."""
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Limit = Annotated[int, Field(ge=0)]
ServerError = Annotated[int, Field(ge=500, le=599)]
"""An HTTP status by which the provider says that the fault is its own."""

STRICT = ConfigDict(extra="forbid")
"""A misspelt switch must not be passed over in silence."""
