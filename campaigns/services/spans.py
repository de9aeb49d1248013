"""Whether the gate permits every moment of a span in which a provider dials by itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from campaigns.compliance.decision import Decision, Refusal
from campaigns.compliance.facts import Facts, Relationship
from campaigns.providers.scheduling import ProviderSpan

LAST_MOMENT = timedelta(microseconds=1)
"""The span's end is open, and this is the finest step that our clocks know."""


def over_span(decide: Callable[[datetime], Decision], span: ProviderSpan) -> tuple[Decision, ProviderSpan]:
    """The gate's answer for the whole span, and the span cut where the legal window closes.

    A permit at `due_from` holds until its window ends. What grows old in between (lists, answers, consents that lapse)
    is asked again at the last moment; caps and gaps only ease with time, because the number is locked from now on.
    """
    first = decide(span.due_from)
    if isinstance(first, Refusal):
        return first, span
    cut = replace(span, due_until=min(span.due_until, first.window_ends_at))
    last = decide(cut.due_until - LAST_MOMENT)
    return (last if isinstance(last, Refusal) else first), cut


def as_known(facts: Facts, *, at: datetime) -> Facts:
    """Without what is dated after `at`: the gate is asked about a later time, and must not count on what may come."""
    dealings = facts.relationship
    return replace(
        facts,
        consents=tuple(consent for consent in facts.consents if consent.obtained_at <= at),
        relationship=dealings
        and Relationship(_past(dealings.transaction_at, at=at), _past(dealings.inquiry_at, at=at)),
    )


def _past(instant: datetime | None, *, at: datetime) -> datetime | None:
    return instant if instant is not None and instant <= at else None
