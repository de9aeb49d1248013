"""What a revocation speaks of: all calls, or those for one seller, one purpose, one campaign."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

from campaigns.compliance.facts import Purpose, Revocation

RevocationScope = Literal["all", "seller", "purpose", "campaign"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a call is about, as far as a revocation can tell calls apart."""

    campaign: str
    purpose: Purpose
    seller: str


def covers(revocation: Revocation, subject: Subject) -> bool:
    """Whether the revocation speaks of such calls; one with a scope but no value is read as widely as can be."""
    return speaks_of(subject, scope=revocation.scope, value=revocation.scope_value)


def speaks_of(subject: Subject, *, scope: RevocationScope, value: str | None) -> bool:
    """Whether a no of this scope, a revocation's or a list entry's, speaks of such calls."""
    if scope == "all" or value is None:
        return True
    if scope == "seller":
        return same_seller(value, subject.seller)
    return value == (subject.purpose if scope == "purpose" else subject.campaign)


def same_seller(first: str, second: str) -> bool:
    """Sellers are compared as people read them: not by case, kind or number of blanks, nor by how accents are coded.

    A nameless one is nobody.
    """
    name = _as_read(first)
    return bool(name) and name == _as_read(second)


def _as_read(seller: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", seller).split()).casefold()
