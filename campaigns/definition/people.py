"""Whom a campaign calls: a customer file and its columns, or customers written into the campaign file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
)

from campaigns.compliance.facts import ConsentLevel
from campaigns.definition.base import Block
from campaigns.definition.findings import flaw, nearest_of
from campaigns.definition.values import Instant, LooseText, Text, Zone

MAX_INLINE_CUSTOMERS = 10_000
"""More belongs into a file of its own, which is read as a stream."""

LineType = Literal["mobile", "landline", "voip", "unknown"]
"""As stated by whoever made the list; numbers alone do not tell it, and unknown is treated as mobile."""


class DefaultConsent(Block):
    """The consent of every customer whose row brings none of its own; it names the campaign's seller."""

    level: ConsentLevel
    """pewc: prior express written consent. pec: prior express consent, oral or written."""
    obtained_at: Instant
    """When it was given."""
    source: Text
    """How it was given: the form, recording or contract that proves it."""


class InlineConsent(DefaultConsent):
    """The consent of one customer."""

    seller: Text | None = None
    """Whom the consent names; the campaign's seller when left out."""


class InlineCustomer(Block):
    """One customer, written into the campaign file."""

    number: Text
    """The phone number, with + and country code unless customers.defaultRegion is set."""
    name: Text | None = None
    """The customer's name."""
    zip: Text | None = None
    """ZIP code of the address."""
    state: Text | None = None
    """Two-letter state of the address."""
    timezone: Zone | None = None
    """IANA zone in which the customer lives."""
    consent: InlineConsent | None = None
    """This customer's own consent; else the campaign's default holds."""
    line_type: LineType | None = None
    """What kind of line the number is; unknown counts as mobile."""
    external_id: Text | None = None
    """Your own id of the customer."""
    person: Text | None = None
    """Your own id of the person, the same in every campaign: caps then count all numbers of a person together."""
    debt: Text | None = None
    """Your own id of the debt, for caps that count by debt."""
    ebr_transaction_at: Instant | None = None
    """Last purchase or payment: an established business relationship for 18 months."""
    ebr_inquiry_at: Instant | None = None
    """Last inquiry: an established business relationship for 3 months."""
    exemption: Text | None = None
    """The exemption from consent that this call is made under: residential_informational or residential_hipaa."""
    variables: dict[Text, LooseText] = Field(default_factory=dict)
    """Anything else, for the assistant's templates."""

    def cells(self) -> dict[str, str]:
        """The customer as a row of a customer file whose headers are our own column keys, variables after them."""
        consent = self.consent
        given = {key: _cell(getattr(self, name)) for key, name in _CELL_FIELDS.items()}
        if consent is not None:
            given |= {
                "consentLevel": consent.level.value,
                "consentAt": _cell(consent.obtained_at),
                "consentSource": consent.source,
                "consentSeller": _cell(consent.seller),
            }
        return {key: text for key, text in given.items() if text} | self.variables


_CELL_FIELDS = {
    field.alias or name: name
    for name, field in InlineCustomer.model_fields.items()
    if name not in ("consent", "variables")
}


def _cell(value: str | datetime | None) -> str:
    return value.isoformat() if isinstance(value, datetime) else value or ""


class Columns(Block):
    """Which header of the customer file holds what. Columns that are not named here become variables."""

    number: Text = "number"
    """Header of the phone number."""
    name: Text | None = None
    """Header of the customer's name."""
    zip: Text | None = None
    """Header of the ZIP code."""
    state: Text | None = None
    """Header of the two-letter state."""
    timezone: Text | None = None
    """Header of the customer's IANA time zone."""
    consent_level: Text | None = None
    """Header of the consent level, pewc or pec."""
    consent_at: Text | None = None
    """Header of the instant when consent was given."""
    consent_source: Text | None = None
    """Header of how consent was given."""
    consent_seller: Text | None = None
    """Header of whom the consent names."""
    line_type: Text | None = None
    """Header of the line type: mobile, landline, voip or unknown."""
    external_id: Text | None = None
    """Header of your own id of the customer."""
    person: Text | None = None
    """Header of your own id of the person, when one person has several numbers."""
    debt: Text | None = None
    """Header of your own id of the debt."""
    ebr_transaction_at: Text | None = None
    """Header of the last purchase or payment."""
    ebr_inquiry_at: Text | None = None
    """Header of the last inquiry."""
    exemption: Text | None = None
    """Header of the exemption that a call is made under."""

    def headers(self) -> dict[str, str]:
        """Our key → the file's header, for the keys that are mapped, such as `{"number": "phone"}`."""
        return self.model_dump(by_alias=True, exclude_none=True)

    @classmethod
    def of_inline_customers(cls) -> Self:
        """The columns of `InlineCustomer.cells()`: every key is its own header."""
        return cls.model_validate({key: key for key in cls.known_keys()})


def _region(value: Any) -> str:
    # Late: the metadata of all regions takes a fifth of a second, and most files never need it.
    from phonenumbers import SUPPORTED_REGIONS

    if value not in SUPPORTED_REGIONS:
        nearest = "GB" if str(value).upper() == "UK" else nearest_of(str(value), ("US", str(value).upper()))
        nearest = nearest if nearest in SUPPORTED_REGIONS else None
        raise flaw("this is no country code", allowed="a two-letter code such as US, CA or GB", nearest=nearest)
    return str(value)


Region = Annotated[str, PlainValidator(_region), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})]


def _file_name(value: Any) -> str:
    allowed = "a .csv or .jsonl file, relative to this campaign file"
    if not isinstance(value, str) or not value.strip():
        raise flaw("this must be the name of a file", allowed=allowed)
    if not value.strip().lower().endswith((".csv", ".jsonl")):
        raise flaw("this kind of file is not read", allowed=allowed)
    return value.strip()


FileName = Annotated[
    str,
    PlainValidator(_file_name),
    WithJsonSchema({"type": "string", "pattern": r"\.([cC][sS][vV]|[jJ][sS][oO][nN][lL])$"}),
]


def _not_too_many(value: Any) -> Any:
    """Before the customers are looked at: a million of them would take a minute to refuse one by one."""
    if isinstance(value, list) and len(value) > MAX_INLINE_CUSTOMERS:
        raise flaw(
            f"there are {len(value):,} customers", allowed="at most 10,000; put them into a CSV or JSONL file instead"
        )
    return value


_InlineList = Annotated[
    tuple[InlineCustomer, ...],
    BeforeValidator(_not_too_many),
    Field(min_length=1, max_length=MAX_INLINE_CUSTOMERS),
]


class CustomerSource(Block):
    """Either a file or a list, never both."""

    file: FileName | None = None
    """A CSV or JSONL file, relative to this campaign file."""
    list: _InlineList | None = None
    """The customers themselves, at most 10,000."""
    default_region: Region | None = None
    """Country of numbers without a + sign; without it such a number is a reject."""
    columns: Columns = Columns()
    """Which header of the file holds what."""

    @model_serializer(mode="wrap")
    def _without_idle_columns(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A list has no columns, and what is written must be readable again."""
        written: dict[str, Any] = write(self)
        if self.list is not None:
            written.pop("columns", None)
        return written

    def headers(self) -> Mapping[str, str]:
        """Our key → header, for the file or for the cells of the inline customers."""
        return (Columns.of_inline_customers() if self.list is not None else self.columns).headers()
