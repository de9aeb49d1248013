"""Rows of a list of consents: what is proof, what is only a flag."""

from datetime import UTC, datetime
from typing import Any

import pytest

from campaigns.compliance.facts import ConsentLevel, Purpose
from campaigns.customers.consent_row import KEYS, ConsentRecord, read_consent
from campaigns.customers.row import RowReject

NOW = datetime(2026, 11, 21, tzinfo=UTC)
GOOD = {
    "number": "+12125550101",
    "level": "pewc",
    "obtainedAt": "2026-09-01T12:00:00-05:00",
    "source": "web form v3",
    "seller": "Example Energy, Inc.",
}


def read(*, columns: dict[str, str] | None = None, defaults: dict[str, str] | None = None, **changes: Any) -> Any:
    values = {key: text for key, text in (GOOD | changes).items() if text is not None}
    own = {key: key for key in KEYS}
    return read_consent(values, columns=own | (columns or {}), defaults=defaults or {}, default_region=None, now=NOW)


def test_a_row_with_its_proof_is_a_record() -> None:
    assert read() == ConsentRecord(
        number="+12125550101",
        level=ConsentLevel.PEWC,
        seller="Example Energy, Inc.",
        purpose=None,
        obtained_at=datetime(2026, 9, 1, 17, tzinfo=UTC),
        source="web form v3",
    )


def test_every_field_that_a_court_asks_for_is_kept() -> None:
    record = read(
        purpose="telemarketing",
        expiresAt="2027-09-01T00:00:00Z",
        artificialVoice="yes",
        channel="call",
        person="p-1",
        evidenceSha256="AB" * 32,
        wording="I agree to …",
        pageUrl="https://example.com/form",
        ip="192.0.2.7",
    )
    assert (record.purpose, record.artificial_voice, record.channel) == (Purpose.TELEMARKETING, True, "call")
    assert record.expires_at == datetime(2027, 9, 1, tzinfo=UTC)
    assert record.evidence_digest == "ab" * 32
    assert record.evidence == {"wording": "I agree to …", "pageUrl": "https://example.com/form", "ip": "192.0.2.7"}


@pytest.mark.parametrize("missing", ["level", "obtainedAt", "source"])
def test_a_flag_without_level_time_and_source_is_no_consent(missing: str) -> None:
    reject = read(**{missing: " "})
    assert isinstance(reject, RowReject)
    assert reject.reason == "consent_flag"
    assert f"{missing} missing" in reject.message


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"number": "12"}, "number_no_region"),
        ({"level": "yes"}, "consent_level"),
        ({"obtainedAt": "2026-09-01T12:00:00"}, "consent_time"),
        ({"obtainedAt": "last week"}, "consent_time"),
        ({"obtainedAt": "2026-11-22T00:00:00Z"}, "consent_future"),
        ({"expiresAt": "2026-08-01T00:00:00Z"}, "consent_expires"),
        ({"seller": ""}, "consent_seller"),
        ({"purpose": "sales"}, "consent_purpose"),
        ({"artificialVoice": "perhaps"}, "artificial_voice"),
        ({"evidenceSha256": "abc"}, "evidence_sha256"),
        ({"wording": "x" * 10_001}, "consent_long"),
    ],
)
def test_what_is_wrong_with_a_row_has_a_reason_and_no_number_in_it(changes: dict[str, str], reason: str) -> None:
    reject = read(**changes)
    assert isinstance(reject, RowReject)
    assert reject.reason == reason
    assert "555" not in reject.message


def test_a_list_may_name_its_headers_otherwise_and_say_some_things_once_for_all_rows() -> None:
    record = read(
        columns={"number": "phone"},
        defaults={"seller": "Another, Inc."},
        phone="+12125550102",
        number=None,
        seller=None,
    )
    assert (record.number, record.seller) == ("+12125550102", "Another, Inc.")
