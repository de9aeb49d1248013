"""What one row of a customer list becomes: a customer, or a reject with its reason. Never neither."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from campaigns.compliance.facts import Consent, ConsentLevel, PlaceEvidence, Relationship
from campaigns.compliance.zones import UnreadableZoneError, zone
from campaigns.customers.phone import PhoneProblem, normalize

# fmt: off
STATES: Final = frozenset((
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA",
    "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM",
    "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA",
    "WV", "WI", "WY", "PR", "VI", "GU", "MP", "AS",
))
# fmt: on
"""States and territories that have a rule file; a test compares the two."""

EXEMPTIONS: Final = frozenset({"residential_informational", "residential_hipaa"})
"""Exemptions from consent that a rule file knows (47 CFR 64.1200(a)(3)(ii)-(v)); a test compares the two."""

_NO_CONSENT = "none"
_LINE_TYPES: Final = {
    "": "unknown",
    "unknown": "unknown",
    "mobile": "mobile",
    "wireless": "mobile",
    "cell": "mobile",
    "landline": "landline",
    "fixed": "landline",
    "voip": "voip",
}
_CONSENT_KEYS = ("consentLevel", "consentAt", "consentSource", "consentSeller")


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer, as the list gives them, in our terms."""

    number: str
    """E.164."""
    name: str | None = None
    external_id: str | None = None
    person: str | None = None
    debt: str | None = None
    evidence: PlaceEvidence = field(default_factory=PlaceEvidence)
    line_type: str = "unknown"
    exemption: str | None = None
    relationship: Relationship | None = None
    consent: Consent | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def restriction(self) -> int:
        """How strictly the law treats this row: 0 no consent, 1 express consent, 2 written consent."""
        return _LEVEL_RANK[self.consent.level] if self.consent else 0


_LEVEL_RANK: Final = {ConsentLevel.PEC: 1, ConsentLevel.PEWC: 2}
_LEVELS: Final = {level.value: level for level in ConsentLevel}


@dataclass(frozen=True, slots=True)
class RowReject:
    """Why a row became no customer: a code for tables, and a sentence for its owner, without number or name."""

    reason: str
    message: str


class _RowError(Exception):
    """Carries a reject out of the reading of one cell."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason)
        self.reject = RowReject(reason, message)


def read_row(
    values: Mapping[str, str],
    *,
    columns: Mapping[str, str],
    default_region: str | None,
    default_consent: Consent | None,
    seller: str,
    source_name: str,
) -> CustomerRow | RowReject:
    """Read one row.

    Parameters:
        values: header → cell, as in the list.
        columns: our key (`number`, `consentLevel`, …) → header. Headers that no key names are variables.
        default_consent: the campaign's own, for rows in which every consent cell is empty.
        seller: whom a row's consent names when it has no `consentSeller`.
        source_name: what a row's consent cites when no `consentSource` column is mapped: the list itself.
    """
    cells = {key: (values.get(header) or "").strip() for key, header in columns.items()}
    number = normalize(cells.get("number", ""), default_region=default_region)
    if isinstance(number, PhoneProblem):
        return RowReject(number.reason, number.message)
    try:
        return CustomerRow(
            number=number,
            name=cells.get("name") or None,
            external_id=cells.get("externalId") or None,
            person=cells.get("person") or None,
            debt=cells.get("debt") or None,
            evidence=_evidence(cells.get("state", ""), cells.get("zip", ""), cells.get("timezone", "")),
            line_type=_line_type(cells.get("lineType", "")),
            exemption=_exemption(cells.get("exemption", "")),
            relationship=_relationship(cells),
            consent=_consent(cells, default=default_consent, seller=seller, source_name=source_name),
            variables=_variables(values, columns),
        )
    except _RowError as error:
        return error.reject


def more_restrictive(first: CustomerRow, second: CustomerRow) -> CustomerRow:
    """Which of two rows with one number is kept: the one that allows less.

    No consent before express, express before written, older before newer; then a line not known to be a landline before
    one that is, no exemption before one, older dealings before newer; then more evidence of place before less, for
    evidence can only add law. What is left is a matter of order alone, settled by the text of the rows, so that neither
    the order of a file nor the chunk that a row falls into changes the answer.
    """
    return min(first, second, key=_allowance)


def _allowance(row: CustomerRow) -> tuple[int, float, bool, bool, float, int, str]:
    obtained = row.consent.obtained_at.timestamp() if row.consent else 0.0
    evidence = sum(bool(clue) for clue in (row.evidence.state, row.evidence.timezone, row.evidence.zip))
    known = (row.consent, row.evidence, row.line_type, row.exemption, row.relationship, row.debt)
    text = repr((known, row.name, row.external_id, row.person, sorted(row.variables.items())))
    landline, exempt = row.line_type == "landline", row.exemption is not None
    return row.restriction, obtained, landline, exempt, _newest_dealing(row.relationship), -evidence, text


def _newest_dealing(relationship: Relationship | None) -> float:
    dealings = (relationship.transaction_at, relationship.inquiry_at) if relationship else ()
    return max((at.timestamp() for at in dealings if at is not None), default=0.0)


def _variables(values: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    mapped = set(columns.values())
    return {header: cell for header, cell in values.items() if header not in mapped}


def _line_type(cell: str) -> str:
    try:
        return _LINE_TYPES[cell.lower()]
    except KeyError:
        raise _RowError("line_type", "lineType is not known; use mobile, landline, voip or unknown") from None


def _exemption(cell: str) -> str | None:
    if cell and cell not in EXEMPTIONS:
        named = " or ".join(sorted(EXEMPTIONS))
        raise _RowError("exemption", f"exemption is not known; use {named}, or leave it empty")
    return cell or None


def _relationship(cells: Mapping[str, str]) -> Relationship | None:
    bought, asked = cells.get("ebrTransactionAt"), cells.get("ebrInquiryAt")
    if not (bought or asked):
        return None
    return Relationship(
        transaction_at=_instant(bought, key="ebrTransactionAt", reason="ebr_transaction_at") if bought else None,
        inquiry_at=_instant(asked, key="ebrInquiryAt", reason="ebr_inquiry_at") if asked else None,
    )


@lru_cache(maxsize=1024)
def _evidence(state_cell: str, zip_cell: str, timezone: str) -> PlaceEvidence:
    """The neighbours in a list often live in one place; one object for all of them also saves the memory."""
    state = state_cell.upper() or None
    if state is not None and state not in STATES:
        raise _RowError("state", "state is not a US state or territory; use its two letters, such as NY")
    if timezone:
        try:
            zone(timezone)
        except UnreadableZoneError:
            raise _RowError("timezone", "timezone is not an IANA name; use one such as America/Chicago") from None
    return PlaceEvidence(state=state, zip=zip_cell or None, timezone=timezone or None)


def _consent(cells: Mapping[str, str], *, default: Consent | None, seller: str, source_name: str) -> Consent | None:
    """The row's own consent; the default if it says nothing at all; None if it says `none`."""
    level = cells.get("consentLevel", "").lower()
    if not (level or any(cells.get(key) for key in _CONSENT_KEYS)):
        return default
    if level == _NO_CONSENT:
        return None
    source = cells.get("consentSource", source_name)
    if not (level and cells.get("consentAt") and source):
        raise _RowError("consent_incomplete", "a consent needs its level, time and source; fill all three or none")
    return Consent(
        id=None,
        level=_level(level),
        seller=cells.get("consentSeller") or seller,
        purpose=None,
        obtained_at=_instant(cells["consentAt"], key="consentAt", reason="consent_at"),
        source=source,
    )


def _level(text: str) -> ConsentLevel:
    try:
        return _LEVELS[text]
    except KeyError:
        raise _RowError("consent_level", "consentLevel is not known; use pewc, pec or none") from None


def _instant(text: str, *, key: str, reason: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1 has no instant east of Greenwich
        raise _RowError(reason, f"{key} is not a time; write it as 2026-09-01T12:00:00-05:00") from None
    raise _RowError(reason, f"{key} has no offset, so its instant is unknown; add one such as -05:00 or Z")
