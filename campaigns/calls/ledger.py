"""The chain's arithmetic: every decision has a digest, every digest a link to all that came before it.

    digest = SHA-256(salt ‖ the decision's JSON)
    link   = SHA-256(previous link ‖ seq as 8 bytes, big-endian ‖ digest ‖ the instant of sealing as text)

The salt lets a person's decision be taken out later while its digest keeps the chain whole: a digest of a phone call's
few possible contents could otherwise be guessed.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

GENESIS = hashlib.sha256(b"ringfence ledger 1").digest()
"""What the first row links to."""


class Fault(StrEnum):
    """What can be wrong with a sealed row."""

    DECISION_MISSING = "decision_missing"
    """The ledger has the row, its decision is gone."""
    DECISION_ALTERED = "decision_altered"
    """The decision is not what was sealed."""
    LINK_BROKEN = "link_broken"
    """This row, or one before it, was altered, moved or put in between."""
    ROWS_MISSING = "rows_missing"
    """Sequence numbers before this row are not there."""


@dataclass(frozen=True, slots=True)
class Head:
    """A place in the chain. Whoever keeps a head elsewhere can prove that nothing up to it was rewritten."""

    seq: int
    link: bytes


START = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A committed decision that waits for its seal. `payload`: its canonical JSON."""

    decision_id: int
    salt: bytes
    payload: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A row of the ledger as it is to be written."""

    seq: int
    decision_id: int
    digest: bytes
    link: bytes


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A row of the ledger as it was found, with its decision. `salt` and `payload` None: the decision is gone."""

    seq: int
    decision_id: int
    digest: bytes
    link: bytes
    sealed_at: str
    salt: bytes | None
    payload: str | None


def digest_of(payload: str, *, salt: bytes) -> bytes:
    """32 bytes that stand for one decision."""
    return hashlib.sha256(salt + payload.encode()).digest()


def link_of(previous: bytes, *, seq: int, digest: bytes, sealed_at: str) -> bytes:
    """32 bytes that stand for this row and every one before it."""
    return hashlib.sha256(previous + seq.to_bytes(8, "big") + digest + sealed_at.encode()).digest()


def chain(head: Head, decisions: Iterable[Unsealed], *, sealed_at: str) -> Iterator[Seal]:
    """Seals for these decisions, in the order given, from `head` on."""
    link = head.link
    for seq, decision in enumerate(decisions, start=head.seq + 1):
        digest = digest_of(decision.payload, salt=decision.salt)
        link = link_of(link, seq=seq, digest=digest, sealed_at=sealed_at)
        yield Seal(seq, decision.decision_id, digest, link)


def faults_of(row: SealedRow, *, after: Head) -> Iterator[Fault]:
    """Everything wrong with a row that follows `after`. One fault here does not taint the rows that come later."""
    if row.seq != after.seq + 1:
        yield Fault.ROWS_MISSING
    elif link_of(after.link, seq=row.seq, digest=row.digest, sealed_at=row.sealed_at) != row.link:
        yield Fault.LINK_BROKEN
    if row.salt is None or row.payload is None:
        yield Fault.DECISION_MISSING
    elif digest_of(row.payload, salt=row.salt) != row.digest:
        yield Fault.DECISION_ALTERED
