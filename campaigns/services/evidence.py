"""The facts of a call: what its list said, and what is on record about its number and its person."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from campaigns.compliance.facts import Facts, PlaceEvidence, Plan, Relationship
from campaigns.compliance.list_names import is_state_list
from campaigns.files.registry import NATIONAL, RegistryFiles
from campaigns.services.registry import Registry, registry_of
from campaigns.store.claims import QueuedCall
from campaigns.store.evidence import (
    NumberRecord,
    PriorAttempt,
    Rulings,
    number_records,
    prior_attempts,
    rulings_in_force,
)
from campaigns.store.lists import active_versions

CAP_MEMORY = timedelta(days=31)
"""The longest rolling window among the rules (30 days) and a day to spare: older attempts count for no cap."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was read for a group of calls, at one moment."""

    numbers: Mapping[str, NumberRecord]
    attempts: Sequence[PriorAttempt]
    rulings: Rulings
    registry: Registry
    state_lists: frozenset[str]
    """States whose own list was imported."""


def read_evidence(
    connection: Connection, calls: Sequence[QueuedCall], *, campaign_at: datetime, files: RegistryFiles | None
) -> Evidence:
    """Read it fresh. `campaign_at`: now, on the campaign's clock; `files`: the registry's on this machine."""
    numbers = sorted({call.number for call in calls})
    lists = active_versions(connection)
    return Evidence(
        numbers=number_records(connection, numbers),
        attempts=prior_attempts(
            connection,
            numbers=numbers,
            persons=sorted({call.person for call in calls if call.person}),
            since=campaign_at - CAP_MEMORY,
        ),
        rulings=rulings_in_force(connection),
        registry=registry_of(lists.get(NATIONAL), files, at=campaign_at),
        state_lists=frozenset(name for name in lists if is_state_list(name)),
    )


def facts_of(
    call: QueuedCall, plan: Plan, evidence: Evidence, *, locate: Callable[[PlaceEvidence], PlaceEvidence]
) -> Facts:
    """Everything the gate is told of one call. `locate` adds what a ZIP tells of the place."""
    record = evidence.numbers[call.number]
    attempts = [each for each in evidence.attempts if _reached(each, call)]
    on_debt = [each for each in attempts if _maybe_on_debt(each, call)]
    registry = evidence.registry.answer(call.number, rehearsal=plan.fictional_allowed)
    return Facts(
        number=call.number,
        plan=plan,
        evidence=locate(PlaceEvidence(state=call.state, zip=call.zip, timezone=call.timezone)),
        line_type=call.line_type,
        exemption=call.exemption,
        consents=record.consents,
        revocations=record.revocations,
        suppressions=tuple(each for each in record.suppressions if not is_state_list(each.list_name)),
        attempts=tuple(each.at for each in attempts),
        own_attempts=tuple(each.at for each in attempts if each.call_id == call.id),
        other_attempt_at=max((each.at for each in attempts if each.call_id != call.id), default=None),
        debt_attempts=tuple(each.at for each in on_debt),
        conversations=tuple(each.talked_until for each in on_debt if each.talked_until is not None),
        hung_up=record.hung_up,
        dnc_registry=registry.dnc_registry,
        dnc_covered=registry.dnc_covered,
        dnc_national=registry.dnc_national,
        dnc_list_age=registry.dnc_list_age,
        dnc_version=registry.dnc_version,
        state_lists=None if plan.fictional_allowed else evidence.state_lists,
        # A state's list binds sales alone. Whether it was imported at all is told by `state_lists`.
        dnc_state=any(is_state_list(each.list_name) for each in record.suppressions) or None,
        reassigned_answers=record.reassigned,
        relationship=relationship_of(call.ebr_transaction_at, call.ebr_inquiry_at),
        emergencies=evidence.rulings.emergencies,
        counsel_allows=evidence.rulings.counsel_allows,
    )


def relationship_of(transaction_at: datetime | None, inquiry_at: datetime | None) -> Relationship | None:
    """The dealings on record; None if there are none."""
    return Relationship(transaction_at, inquiry_at) if transaction_at or inquiry_at else None


def _reached(attempt: PriorAttempt, call: QueuedCall) -> bool:
    """Whether an attempt was to the same phone, or to another phone of the same person."""
    return attempt.number == call.number or (call.person is not None and attempt.person == call.person)


def _maybe_on_debt(attempt: PriorAttempt, call: QueuedCall) -> bool:
    """An attempt or a call that names no debt may be about any."""
    return attempt.debt is None or call.debt is None or attempt.debt == call.debt
