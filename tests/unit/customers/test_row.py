from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.compliance.facts import Consent, ConsentLevel, PlaceEvidence, Purpose, Relationship
from campaigns.compliance.law import law_for
from campaigns.customers.row import EXEMPTIONS, CustomerRow, RowReject, more_restrictive, read_row
from campaigns.runtime.law import gatekeeper

SELLER = "Example Energy, Inc."
COLUMNS = {
    "number": "phone",
    "name": "full_name",
    "zip": "zip",
    "state": "st",
    "timezone": "tz",
    "consentLevel": "consent",
    "consentAt": "consented_at",
    "consentSource": "form_url",
    "consentSeller": "sold_by",
    "lineType": "line",
    "externalId": "crm_id",
    "person": "person_id",
    "debt": "debt_id",
    "exemption": "exempt",
    "ebrTransactionAt": "bought",
    "ebrInquiryAt": "asked",
}
FULL = {
    "phone": "(212) 555-0123",
    "full_name": "Ada Example",
    "zip": "10001",
    "st": "ny",
    "tz": "America/New_York",
    "consent": "PEWC",
    "consented_at": "2026-09-01T12:00:00-04:00",
    "form_url": "https://example.com/form",
    "sold_by": "",
    "line": "Mobile",
    "crm_id": "c-1",
    "person_id": "p-1",
    "debt_id": "d-1",
    "exempt": "residential_hipaa",
    "bought": "2026-03-01T00:00:00Z",
    "asked": "",
    "plan": "green",
    "note": "",
}
CAMPAIGN_CONSENT = Consent(None, ConsentLevel.PEC, SELLER, None, datetime(2026, 1, 1, tzinfo=UTC), "Signup form")


def row(
    *, columns: dict[str, str] = COLUMNS, default: Consent | None = CAMPAIGN_CONSENT, **cells: str
) -> CustomerRow | RowReject:
    return read_row(
        {**FULL, **cells},
        columns=columns,
        default_region="US",
        default_consent=default,
        seller=SELLER,
        source_name="customers.csv",
    )


def customer(**cells: Any) -> CustomerRow:
    read = row(**cells)
    assert isinstance(read, CustomerRow)
    return read


def test_a_full_row_becomes_a_customer() -> None:
    assert customer() == CustomerRow(
        number="+12125550123",
        name="Ada Example",
        external_id="c-1",
        person="p-1",
        debt="d-1",
        evidence=PlaceEvidence(state="NY", zip="10001", timezone="America/New_York"),
        line_type="mobile",
        exemption="residential_hipaa",
        relationship=Relationship(transaction_at=datetime(2026, 3, 1, tzinfo=UTC)),
        consent=Consent(
            id=None,
            level=ConsentLevel.PEWC,
            seller=SELLER,
            purpose=None,
            obtained_at=datetime(2026, 9, 1, 16, tzinfo=UTC),
            source="https://example.com/form",
        ),
        variables={"plan": "green", "note": ""},
    )


def test_a_number_alone_is_a_customer_and_every_other_column_a_variable() -> None:
    lonely = customer(columns={"number": "phone"})
    assert lonely.consent == CAMPAIGN_CONSENT
    assert lonely.evidence == PlaceEvidence()
    assert lonely.line_type == "unknown"
    assert set(lonely.variables) == set(FULL) - {"phone"}


NO_CELLS = {"consent": "", "consented_at": "", "form_url": "", "sold_by": ""}


def test_the_campaigns_consent_is_for_rows_that_say_nothing_of_theirs() -> None:
    assert customer(**NO_CELLS).consent == CAMPAIGN_CONSENT
    assert customer(**NO_CELLS, default=None).consent is None
    assert customer(**{**NO_CELLS, "consent": "none"}).consent is None


def test_a_row_may_name_another_seller() -> None:
    consent = customer(sold_by="Another Company").consent
    assert consent is not None
    assert consent.seller == "Another Company"


def test_without_a_column_for_it_the_list_itself_is_the_source() -> None:
    columns = {key: header for key, header in COLUMNS.items() if key != "consentSource"}
    consent = customer(columns=columns).consent
    assert consent is not None
    assert consent.source == "customers.csv"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"phone": ""}, "number_missing"),
        ({"phone": "12345"}, "number_invalid"),
        ({"consent": ""}, "consent_incomplete"),
        ({"consented_at": ""}, "consent_incomplete"),
        ({"form_url": " "}, "consent_incomplete"),
        ({"consent": "yes"}, "consent_level"),
        ({"consented_at": "last spring"}, "consent_at"),
        ({"consented_at": "2026-09-01"}, "consent_at"),
        ({"consented_at": "2026-09-01T12:00:00"}, "consent_at"),
        ({"consented_at": "0001-01-01T00:00:00+14:00"}, "consent_at"),
        ({"st": "ON"}, "state"),
        ({"st": "New York"}, "state"),
        ({"tz": "Eastern"}, "timezone"),
        ({"line": "satellite"}, "line_type"),
        ({"exempt": "residential"}, "exemption"),
        ({"bought": "last spring"}, "ebr_transaction_at"),
        ({"asked": "2026-10-01"}, "ebr_inquiry_at"),
    ],
)
def test_a_bad_cell_makes_a_reject_with_its_reason(cells: dict[str, Any], reason: str) -> None:
    reject = row(**cells)
    assert isinstance(reject, RowReject)
    assert reject.reason == reason
    assert reject.message


def test_a_short_row_is_read_as_if_its_last_cells_were_empty() -> None:
    read = read_row(
        {"phone": "+12125550123"},
        columns=COLUMNS,
        default_region=None,
        default_consent=None,
        seller=SELLER,
        source_name="customers.csv",
    )
    assert read == CustomerRow(number="+12125550123")


LATE = {"consented_at": "2026-10-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("strict", "lenient"),
    [
        ({"consent": "none"}, {"consent": "pec"}),
        ({"consent": "pec"}, {"consent": "pewc"}),
        ({}, LATE),
        # A lower level beats an older date: it allows less.
        ({"consent": "pec", **LATE}, {"consent": "pewc"}),
        ({"line": "mobile"}, {"line": "landline"}),
        ({"line": ""}, {"line": "landline"}),
        ({"exempt": ""}, {}),
        ({"bought": ""}, {}),
        ({}, {"asked": "2026-04-01T00:00:00Z"}),
        ({}, {"tz": ""}),
        ({"consent": "none", "line": "landline", "tz": ""}, {}),
    ],
)
def test_of_two_rows_with_one_number_the_more_restrictive_wins(strict: dict[str, str], lenient: dict[str, str]) -> None:
    kept, dropped = customer(**strict), customer(**lenient)
    assert more_restrictive(kept, dropped) == more_restrictive(dropped, kept) == kept


def test_restriction_ranks_no_consent_before_express_before_written() -> None:
    ranks = [customer(consent=level).restriction for level in ("none", "pec", "pewc")]
    assert ranks == [0, 1, 2]


def test_a_row_carries_what_caps_exemptions_and_relationships_need() -> None:
    ada = customer()
    assert (ada.person, ada.debt, ada.exemption) == ("p-1", "d-1", "residential_hipaa")
    assert ada.relationship == Relationship(transaction_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert customer(bought="", asked="2026-10-01T00:00:00-04:00").relationship == Relationship(
        inquiry_at=datetime(2026, 10, 1, 4, tzinfo=UTC)
    )
    stranger = customer(bought="", exempt="", debt_id="")
    assert (stranger.relationship, stranger.exemption, stranger.debt) == (None, None, None)


def test_the_exemptions_that_a_list_may_claim_are_those_that_a_rule_file_knows() -> None:
    law = law_for(gatekeeper().rules, ("US",), Purpose.INFORMATIONAL)
    known = {name for cap in law.exempt_caps for name in cap.applies_to}
    assert known == {f"exempt_{name}" for name in EXEMPTIONS}


def test_consent_times_are_kept_in_utc() -> None:
    consent = customer().consent
    assert consent is not None
    assert consent.obtained_at.utcoffset() == timedelta()
