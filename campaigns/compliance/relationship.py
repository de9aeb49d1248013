"""The established business relationship: how long a purchase or an inquiry carries (47 CFR 64.1200(f)(5))."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime

from campaigns.compliance.consent import is_revoked
from campaigns.compliance.facts import Facts
from campaigns.compliance.rules import RelationshipTerms


def has_relationship(facts: Facts, terms: RelationshipTerms | None, now: datetime) -> bool:
    """Whether the person is a customer of the seller now."""
    if facts.ebr:
        return True
    return any(began_at <= now < ends_at for began_at, ends_at in _spans(facts, terms))


def relationship_lapses_at(facts: Facts, terms: RelationshipTerms | None) -> datetime | None:
    """When the relationship ends by itself; None: it has no dates."""
    if facts.ebr:
        return None
    return max((ends_at for _, ends_at in _spans(facts, terms)), default=None)


def _spans(facts: Facts, terms: RelationshipTerms | None) -> Iterator[tuple[datetime, datetime]]:
    """A do-not-call request ends the relationship, even if the person goes on dealing with the seller."""
    dealings = facts.relationship
    if dealings is None or terms is None or is_revoked(facts):
        return
    for began_at, months in (
        (dealings.transaction_at, terms.transaction_months),
        (dealings.inquiry_at, terms.inquiry_months),
    ):
        if began_at is not None:
            yield began_at, months_after(began_at, months)


def months_after(instant: datetime, months: int) -> datetime:
    """The same day and time so many months later, or the last day of a shorter month."""
    count = instant.year * 12 + instant.month - 1 + months
    year, month = divmod(count, 12)
    return instant.replace(year=year, month=month + 1, day=min(instant.day, monthrange(year, month + 1)[1]))
