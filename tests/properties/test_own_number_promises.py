"""Whatever a row holds: a test call says what the row would hear, and can reach nobody but the own number."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from campaigns.compliance.facts import PlaceEvidence
from campaigns.customers.row import CustomerRow
from campaigns.definition.assistant import TEMPLATED
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.templates import CUSTOMER_PLACEHOLDERS, filled
from campaigns.services.own_number_call import ListRow, RowUnusableError, document_for
from campaigns.services.single_call import defined

OWN, ANN = "+12125550150", "+13105550101"
NAMES = ("plan", "zip", "state", "person", "externalId", "timezone", "name", "number", "consentLevel", "row zip")
CELLS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30).map(str.strip)
PIECES = st.one_of(st.sampled_from([f"{{{name}}}" for name in NAMES]), st.sampled_from(["{{:", ":}}", "Dear", "/"]))
TEMPLATES = st.lists(PIECES, max_size=4).map(" ".join)


def a_campaign(templates: dict[str, str]) -> CampaignDefinition:
    return defined(
        {
            "campaign": "spring",
            "purpose": "telemarketing",
            "seller": "Example Energy, Inc.",
            "account": "sim",
            "assistant": {"id": "a-1", "variables": templates},
            "lines": {"pool": ["pn-1"]},
            "customers": {"file": "people.csv"},
            "window": {"earliestAt": "2026-12-01T13:00:00Z", "latestAt": "2026-12-12T20:00:00Z"},
        }
    )


@st.composite
def rows(draw: st.DrawFn) -> CustomerRow:
    variables = {name: draw(CELLS) for name in NAMES if name not in CUSTOMER_PLACEHOLDERS}
    return CustomerRow(
        number=ANN,
        name=draw(CELLS) or None,
        external_id=draw(CELLS) or None,
        person=draw(CELLS) or None,
        debt=draw(CELLS) or None,
        evidence=PlaceEvidence(state=draw(CELLS) or None, zip=draw(CELLS) or None, timezone=draw(CELLS) or None),
        variables=variables,
    )


def heard(assistant: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    return {key: filled(value, values) if key in TEMPLATED else value for key, value in assistant.items()}


@given(row=rows(), templates=st.dictionaries(st.sampled_from(["a", "b", "c"]), TEMPLATES, min_size=1))
def test_it_says_the_rows_words_and_carries_nothing_by_which_the_row_could_be_reached(
    row: CustomerRow, templates: dict[str, str]
) -> None:
    campaign = a_campaign(templates)
    document = document_for(campaign, ListRow(1, row), number=OWN, consent_at=None)
    (customer,) = document["customers"]["list"]
    assert customer["number"] == OWN
    assert set(customer) <= {"number", "name", "variables"}
    assert ANN not in json.dumps(document)
    evidence = row.evidence
    own = {"name": row.name, "zip": evidence.zip, "state": evidence.state, "timezone": evidence.timezone,
           "externalId": row.external_id, "person": row.person, "number": OWN}  # fmt: skip
    known = {**dict.fromkeys(CUSTOMER_PLACEHOLDERS, ""), **row.variables, **{k: v for k, v in own.items() if v}}
    as_campaign = heard(campaign.assistant, known)
    as_test = heard(document["assistant"], {"number": OWN, **customer["variables"]})
    assert as_test == as_campaign


@given(row=rows())
def test_what_it_makes_is_a_campaign_that_can_be_submitted(row: CustomerRow) -> None:
    assume(row.name is None or len(row.name) < 1000)
    campaign = a_campaign({"a": "{plan} {zip}", "b": "{name}"})
    document = document_for(campaign, ListRow(1, row), number=OWN, consent_at=None)
    window = {"earliestAt": "2026-12-01T13:00:00Z", "latestAt": "2026-12-01T14:00:00Z"}
    made = defined({"campaign": "test-1", "window": window, **document})
    assert made.retries.max_attempts == 1
    assert made.customers.list is not None
    assert [each.number for each in made.customers.list] == [OWN]


@pytest.mark.parametrize(
    "assistant",
    [
        {"applicationSid": "s" * 36, "to": {"type": "user", "name": "{sipUser}"}},
        {"applicationSid": "s" * 36, "to": {"type": "sip", "sipUri": "sip:{number}@pbx.example.com"}},
        {"id": "a-1", "customer": {"sipUri": "sip:{number}@pbx.example.com", "extension": "{ext}"}},
    ],
)
def test_another_way_to_the_rows_phone_is_left_out(assistant: dict[str, Any]) -> None:
    campaign = a_campaign({"a": "x"}).model_copy(update={"assistant": assistant})
    row = CustomerRow(number=ANN, variables={"sipUser": "ann", "ext": "77"})
    made = document_for(campaign, ListRow(1, row), number=OWN, consent_at=None)["assistant"]
    assert not {"to", "customer"} & set(made)


def test_a_row_without_a_value_that_is_asked_for_is_told_by_the_columns_name() -> None:
    with pytest.raises(RowUnusableError, match="plan"):
        document_for(a_campaign({"a": "{plan}"}), ListRow(1, CustomerRow(number=ANN)), number=OWN, consent_at=None)


def test_a_row_that_is_the_own_number_is_never_taken() -> None:
    with pytest.raises(RowUnusableError):
        document_for(a_campaign({"a": "x"}), ListRow(1, CustomerRow(number=OWN)), number=OWN, consent_at=None)
