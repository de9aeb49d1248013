"""One row of a list of consents: a record with its evidence, or a reject with its reason. Never neither.

Which fields a court asks for: 47 CFR 64.1200(f)(9), 16 CFR 310.5(a)(8).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from campaigns.compliance.facts import ConsentLevel, Purpose
from campaigns.customers.phone import NO_REGION, PhoneProblem, normalize
from campaigns.customers.row import RowReject

PROOF: Final = ("level", "obtainedAt", "source")
"""Without these three a row is a flag, and a flag proves nothing."""
EVIDENCE: Final = (
    "name", "brand", "technology", "how", "wording", "wordingSha256", "requestSha256", "act", "pageUrl", "referrer",
    "ip", "userAgent", "certificate", "language", "notACondition", "lineType", "lineTypeAt", "vendor", "contract",
    "address", "zip", "timezone", "reassignedAskedAt", "reassignedAnswer",
)  # fmt: skip
"""What else is kept as it stands: what the person saw, what they did, where it came from."""
KEYS: Final = (
    "number", *PROOF, "seller", "purpose", "expiresAt", "artificialVoice", "channel", "person", "evidenceSha256",
    *EVIDENCE,
)  # fmt: skip
"""Every field that is read; a list may name its headers otherwise."""
_LONGEST = 10_000
"""The wording of a form may be a page; a whole document belongs into a file whose digest is kept."""
NO_REGION_IN_LISTS: Final = "the number has no country code; write it with + or give --default-region, such as US"
"""A list of consents belongs to no campaign file, so there is no customers.defaultRegion to set."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """A consent as it goes on record."""

    number: str
    """E.164."""
    level: ConsentLevel
    seller: str
    purpose: Purpose | None
    """None: every purpose that this level covers."""
    obtained_at: datetime
    source: str
    expires_at: datetime | None = None
    artificial_voice: bool | None = None
    """Whether its wording named artificial voices; None: the list does not say."""
    channel: str | None = None
    person: str | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)
    evidence_digest: str | None = None
    """SHA-256 of the evidence itself, which is kept elsewhere: a page as shown, a recording."""


class _RowError(Exception):
    """Carries a reject out of the reading of one cell."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason)
        self.reject = RowReject(reason, message)


def read_consent(
    values: Mapping[str, str],
    *,
    columns: Mapping[str, str],
    defaults: Mapping[str, str],
    default_region: str | None,
    now: datetime,
) -> ConsentRecord | RowReject:
    """Read one row.

    Parameters:
        values: header → cell, as in the list.
        columns: our key (one of `KEYS`) → header.
        defaults: our key → text for rows whose own cell is empty, such as the seller of a whole list.
        now: a consent obtained later than this is a mistake.
    """
    cells = {key: (values.get(header) or "").strip() or defaults.get(key, "") for key, header in columns.items()}
    number = normalize(cells.get("number", ""), default_region=default_region)
    if isinstance(number, PhoneProblem):
        return RowReject(number.reason, NO_REGION_IN_LISTS if number == NO_REGION else number.message)
    try:
        return _record(number, cells, now=now)
    except _RowError as error:
        return error.reject


def _record(number: str, cells: Mapping[str, str], *, now: datetime) -> ConsentRecord:
    if missing := [key for key in PROOF if not cells.get(key)]:
        raise _RowError(
            "consent_flag",
            f"{' and '.join(missing)} missing: a flag is no consent, it needs its level, time and source",
        )
    if any(len(cell) > _LONGEST for cell in cells.values()):
        raise _RowError("consent_long", f"a field is longer than {_LONGEST:,} characters; keep its digest instead")
    obtained_at = _instant(cells, "obtainedAt")
    if obtained_at > now:
        raise _RowError("consent_future", "obtainedAt is in the future; nobody has agreed yet")
    expires_at = _instant(cells, "expiresAt") if cells.get("expiresAt") else None
    if expires_at is not None and expires_at <= obtained_at:
        raise _RowError("consent_expires", "expiresAt is not after obtainedAt")
    if not cells.get("seller"):
        raise _RowError("consent_seller", "seller missing: a consent names whom it was given to")
    return ConsentRecord(
        number=number,
        level=_level(cells["level"]),
        seller=cells["seller"],
        purpose=_purpose(cells.get("purpose", "")),
        obtained_at=obtained_at,
        source=cells["source"],
        expires_at=expires_at,
        artificial_voice=_truth(cells.get("artificialVoice", "")),
        channel=cells.get("channel") or None,
        person=cells.get("person") or None,
        evidence={key: cells[key] for key in EVIDENCE if cells.get(key)},
        evidence_digest=_digest(cells.get("evidenceSha256", "")),
    )


def _level(text: str) -> ConsentLevel:
    try:
        return ConsentLevel(text.lower())
    except ValueError:
        raise _RowError("consent_level", "level is not known; use pewc (written) or pec (express)") from None


def _purpose(text: str) -> Purpose | None:
    try:
        return Purpose(text.lower()) if text else None
    except ValueError:
        known = ", ".join(Purpose)
        raise _RowError("consent_purpose", f"purpose is not known; use {known}, or leave it empty") from None


def _truth(text: str) -> bool | None:
    if not text:
        return None
    try:
        return _TRUTH[text.lower()]
    except KeyError:
        raise _RowError("artificial_voice", "artificialVoice is neither true nor false") from None


def _digest(text: str) -> str | None:
    if not text:
        return None
    if _SHA256.fullmatch(text.lower()) is None:
        raise _RowError("evidence_sha256", "evidenceSha256 is no SHA-256; it has 64 hexadecimal digits")
    return text.lower()


def _instant(cells: Mapping[str, str], key: str) -> datetime:
    try:
        instant = datetime.fromisoformat(cells[key])
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1 has no instant east of Greenwich
        raise _RowError("consent_time", f"{key} is not a time; write it as 2026-09-01T12:00:00-05:00") from None
    raise _RowError("consent_time", f"{key} has no offset, so its instant is unknown; add one such as -05:00 or Z")
