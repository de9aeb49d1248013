"""One person twice in a list: the most restrictive row wins, the other is a reject that names the winner.

Rows are weighed one after the other in the order of the list, so the result does not depend on how the list is
cut into chunks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC

from campaigns.compliance.facts import Consent, ConsentLevel, PlaceEvidence
from campaigns.customers.row import CustomerRow, more_restrictive
from campaigns.services.evidence import relationship_of
from campaigns.store.expansion import StoredCustomer
from campaigns.store.expansion_chunks import Reject

DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A readable row. `original` empty: it was written by an earlier chunk."""

    row_number: int
    row: CustomerRow
    original: str


@dataclass(slots=True)
class Weighed:
    """What is left of a chunk once duplicates are settled."""

    added: dict[str, Candidate] = field(default_factory=dict)
    """By number: people whom no earlier chunk has."""
    replaced: dict[int, Candidate] = field(default_factory=dict)
    """By customer id: rows that displace what an earlier chunk wrote."""
    rejects: list[Reject] = field(default_factory=list)


def settle_duplicates(candidates: Iterable[Candidate], *, stored: Mapping[str, StoredCustomer]) -> Weighed:
    """Keep one row a number, within the chunk and against `stored`."""
    weighed = Weighed()
    for candidate in candidates:
        number = candidate.row.number
        if number in stored:
            _weigh_against_stored(weighed, candidate, stored[number])
        elif number in weighed.added:
            winner = _winner(weighed, weighed.added[number], candidate)
            weighed.added[number] = winner
        else:
            weighed.added[number] = candidate
    return weighed


def _weigh_against_stored(weighed: Weighed, candidate: Candidate, stored: StoredCustomer) -> None:
    holder = weighed.replaced.get(stored.id) or Candidate(stored.row_number, _row_of(stored), original="")
    winner = _winner(weighed, holder, candidate)
    if winner is candidate:
        weighed.replaced[stored.id] = candidate


def _winner(weighed: Weighed, holder: Candidate, candidate: Candidate) -> Candidate:
    """The one that stays; the other goes to the rejects. On a tie the earlier row stays."""
    stays = more_restrictive(holder.row, candidate.row) is holder.row
    winner, loser = (holder, candidate) if stays else (candidate, holder)
    detail = f"the same number as row {winner.row_number}, which stays because it allows no more"
    weighed.rejects.append(Reject(loser.row_number, DUPLICATE, detail, loser.original))
    return winner


def _row_of(stored: StoredCustomer) -> CustomerRow:
    return CustomerRow(
        number=stored.number,
        name=stored.name,
        external_id=stored.external_id,
        person=stored.person,
        evidence=PlaceEvidence(state=stored.state, zip=stored.zip, timezone=stored.timezone),
        line_type=stored.line_type,
        debt=stored.debt,
        exemption=stored.exemption,
        relationship=relationship_of(stored.ebr_transaction_at, stored.ebr_inquiry_at),
        consent=_consent_of(stored),
        variables=stored.variables,
    )


def _consent_of(stored: StoredCustomer) -> Consent | None:
    if stored.consent_level is None or stored.consent_at is None:
        return None
    return Consent(
        id=None,
        level=ConsentLevel(stored.consent_level),
        seller=stored.consent_seller or "",
        purpose=None,
        obtained_at=stored.consent_at.astimezone(UTC),
        source=stored.consent_source or "",
    )
