"""A test call: what the assistant would say to a row of the list, said to a phone of the operator's own.

The row lends its name and its variables, and nothing by which it could be reached or counted: not its number, person,
address, debt or external id. So the real person's phone does not ring and their caps stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from campaigns.compliance.facts import Consent, Purpose
from campaigns.customers.row import CustomerRow, RowReject, read_row
from campaigns.definition.assistant import TEMPLATED
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.storage import dump_definition
from campaigns.definition.templates import CUSTOMER_PLACEHOLDERS, placeholders, renamed, texts_in
from campaigns.files.customer_problems import SourceItem, SourceProblem
from campaigns.services.customer_source import CustomerRows
from campaigns.store import single_calls as rows
from campaigns.store.campaigns import machine_now

OWN_NUMBER_SOURCE = "testNumbers in ringfence.toml: a phone of the operator's own"
"""The consent on record: whoever put the number into the settings said that it may be called."""
IDENTIFICATION_REASON = "a test call to a phone of the operator's own"
_KEPT = ("seller", "account", "voicemail", "identification", "optOut", "endGuard")
"""Of the campaign, beside its assistant and lines. Its hours, budget and ladder are for its customers."""


class RowUnusableError(Exception):
    """This row cannot be tried. The message says why, without its number or name."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row of a campaign's list, as the campaign would read it."""

    number: int
    customer: CustomerRow


def read_list_row(definition: CampaignDefinition, customers_path: Path | None, row: int) -> ListRow:
    """Row `row` of the list, counted from 1, the header left out. Raises `RowUnusableError`, `CustomerFileError`."""
    source = CustomerRows(definition, customers_path)
    last = 0
    for item in source.open():
        if item.row_number == row:
            return ListRow(row, _customer(definition, item))
        last = item.row_number
    raise RowUnusableError(f"the list has no row {row}: its rows are 1 to {last}, the header not counted")


def document_for(
    definition: CampaignDefinition, row: ListRow, *, number: str, consent_at: datetime | None
) -> dict[str, Any]:
    """The campaign of one customer that calls `number` (E.164) as the row would be called.

    `consent_at`: since when the own number may be called; None: nothing is said of it, so the record decides.
    Raises `RowUnusableError`.
    """
    if row.customer.number == number:
        raise RowUnusableError(f"row {row.number} is this very number, and a test must not count against a customer")
    whole = dump_definition(definition)
    values = _values(definition, row)
    customer: dict[str, Any] = {
        "number": number,
        "variables": {_new_name(name): value for name, value in values.items()},
    }
    if row.customer.name:
        customer["name"] = row.customer.name
    if consent_at is not None:
        consent = {"level": "pewc", "obtainedAt": consent_at.isoformat(), "source": OWN_NUMBER_SOURCE}
        customer["consent"] = consent | {"seller": definition.seller}
    lines = {key: value for key, value in whole["lines"].items() if key != "choose"}
    return {
        **{key: whole[key] for key in _KEPT if key in whole},
        "purpose": _purpose(definition),
        "assistant": _assistant(definition.assistant, {name: _new_name(name) for name in values}),
        "lines": lines,
        "customers": {"list": [customer]},
        "retries": {"maxAttempts": 1},
    }


def consent_since(engine: Engine, number: str, *, seller: str) -> datetime | None:
    """Since when this own number may be called for this seller; None: somebody revoked for it, and the record decides.

    Always the first time it was tried: a consent as young as each test would beat every revocation before it.
    """
    with engine.begin() as connection:
        if rows.was_revoked(connection, number):
            return None
        first = rows.own_number_consent_at(connection, number, seller=seller, source=OWN_NUMBER_SOURCE)
        return first or machine_now(connection)


def _customer(definition: CampaignDefinition, item: SourceItem) -> CustomerRow:
    if isinstance(item, SourceProblem):
        raise RowUnusableError(f"row {item.row_number} cannot be read: {item.detail}")
    row = read_row(
        item.values,
        columns=definition.customers.headers(),
        default_region=definition.customers.default_region,
        default_consent=_NO_CONSENT,
        seller=definition.seller,
        source_name=OWN_NUMBER_SOURCE,
    )
    if isinstance(row, RowReject):
        raise RowUnusableError(f"row {item.row_number} would be rejected: {row.message}")
    return row


_NO_CONSENT: Consent | None = None
"""The row's consents are not this call's."""


def _values(definition: CampaignDefinition, row: ListRow) -> dict[str, str]:
    """Placeholder → the row's value, for all that the assistant asks for except the number, which is the own one."""
    customer, evidence = row.customer, row.customer.evidence
    own = {
        "name": customer.name,
        "zip": evidence.zip,
        "state": evidence.state,
        "timezone": evidence.timezone,
        "externalId": customer.external_id,
        "person": customer.person,
    }
    known = {
        **dict.fromkeys(CUSTOMER_PLACEHOLDERS, ""),
        **customer.variables,
        **{name: value for name, value in own.items() if value},
    }
    asked = dict.fromkeys(name for key in TEMPLATED for name in _placeholders(definition.assistant.get(key)))
    if missing := [name for name in asked if name not in known]:
        raise RowUnusableError(f"row {row.number} has no value for {{{missing[0]}}}, which the assistant asks for")
    return {name: known[name] for name in asked if name != "number"}


def _placeholders(value: Any) -> list[str]:
    return [name for _, text in texts_in(value) for name in placeholders(text)]


def _new_name(name: str) -> str:
    """Under their own names they would become the customer's address or person."""
    return f"row {name}"


def _assistant(assistant: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The block without what could lead the call to the row's person after all."""
    block = {key: renamed(value, names) if key in TEMPLATED else value for key, value in assistant.items()}
    if isinstance(block.get("to"), Mapping) and block["to"].get("type") != "phone":
        del block["to"]
    if isinstance(block.get("customer"), Mapping):
        kept = {key: value for key, value in block["customer"].items() if key == "assistantOverrides"}
        block = {key: value for key, value in block.items() if key != "customer"} | ({"customer": kept} if kept else {})
    return block


def _purpose(definition: CampaignDefinition) -> str:
    """An emergency keeps almost no rule, and a test is none."""
    purpose = definition.purpose
    return (Purpose.INFORMATIONAL if purpose is Purpose.EMERGENCY else purpose).value
