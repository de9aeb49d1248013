"""The control: the list read as most programs would read it. `python -m benchmarks.expansion.usual_way URL LIST`.

`csv.DictReader`, a pydantic model a row, `phonenumbers` for validity and zones, the most restrictive of two rows by a
dictionary, SQLAlchemy's ORM in units of a thousand, indexes as ours. It knows no area codes in two states, no law, no
first legal opening, no rejects with their text, and cannot go on where it was killed.
"""

import csv
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import phonenumbers
from phonenumbers import timezone as number_zones
from pydantic import AwareDatetime, BaseModel, ValidationError, field_validator
from sqlalchemy import DateTime, ForeignKey, UniqueConstraint, create_engine
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from benchmarks.expansion.readings import told

UNIT = 1_000
"""Rows a commit."""
MAPPED = {"phone": "number", "full_name": "name", "st": "state", "zip": "zip", "crm_id": "external_id"}
MAPPED |= {"consent": "consent_level", "consented_at": "consent_at", "form": "consent_source"}


class Base(DeclarativeBase):
    """The control's own tables, beside ours."""


class Customer(Base):
    __tablename__ = "usual_customers"
    __table_args__ = (UniqueConstraint("list_name", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    list_name: Mapped[str]
    row_number: Mapped[int]
    number: Mapped[str]
    name: Mapped[str | None]
    external_id: Mapped[str | None]
    state: Mapped[str | None]
    zip: Mapped[str | None]
    zones: Mapped[list[str]] = mapped_column(JSONB)
    consent_level: Mapped[str]
    consent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    consent_source: Mapped[str]
    variables: Mapped[dict[str, str]] = mapped_column(JSONB)
    call: Mapped["Call"] = relationship(back_populates="customer")
    consent: Mapped["Consent"] = relationship(back_populates="customer")


class Call(Base):
    __tablename__ = "usual_calls"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey(Customer.id), index=True)
    number: Mapped[str] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(default="scheduled")
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    customer: Mapped[Customer] = relationship(back_populates="call")


class Consent(Base):
    __tablename__ = "usual_consents"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey(Customer.id), index=True)
    number: Mapped[str] = mapped_column(index=True)
    level: Mapped[str]
    obtained_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    source: Mapped[str]
    customer: Mapped[Customer] = relationship(back_populates="consent")


class Row(BaseModel):
    number: str
    name: str | None
    state: str | None
    zip: str | None
    external_id: str | None
    consent_level: str
    consent_at: AwareDatetime
    consent_source: str
    variables: dict[str, str]

    @field_validator("number")
    @classmethod
    def in_e164(cls, written: str) -> str:
        number = phonenumbers.parse(written, "US")
        if not phonenumbers.is_valid_number(number):
            raise ValueError("no such number")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def main() -> None:
    url, people = sys.argv[1], Path(sys.argv[2])
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    told(lambda: read(Session(engine), people))


def read(session: Session, people: Path) -> None:
    seen: set[str] = set()
    with people.open(encoding="utf-8", newline="") as file, session:
        rows = _rows(csv.DictReader(file))
        while unit := list(islice(rows, UNIT)):
            for row_number, row in unit:
                if row.number not in seen:
                    seen.add(row.number)
                    session.add(_customer(people.name, row_number, row))
            session.commit()


def _rows(lines: Iterator[dict[str, str]]) -> Iterator[tuple[int, Row]]:
    for row_number, line in enumerate(lines, start=1):
        ours = {MAPPED[header]: cell for header, cell in line.items() if header in MAPPED}
        others = {header: cell for header, cell in line.items() if header not in MAPPED}
        try:
            yield row_number, Row.model_validate({**ours, "variables": others})
        except (ValidationError, phonenumbers.NumberParseException):
            continue


def _customer(list_name: str, row_number: int, row: Row) -> Customer:
    zones = list(number_zones.time_zones_for_number(phonenumbers.parse(row.number, None)))
    return Customer(
        list_name=list_name,
        row_number=row_number,
        zones=zones,
        **row.model_dump(),
        call=Call(number=row.number, due_at=row.consent_at),
        consent=Consent(
            number=row.number, level=row.consent_level, obtained_at=row.consent_at, source=row.consent_source
        ),
    )


if __name__ == "__main__":
    main()
