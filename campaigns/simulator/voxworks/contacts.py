"""The team's contacts, known by their numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4


@dataclass(slots=True)
class Contact:
    """One of them."""

    id: str
    number: str
    first_name: str = ""
    last_name: str = ""

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.first_name} {self.last_name}".strip()


class Contacts:
    """A call makes its contact or overwrites it."""

    def __init__(self) -> None:
        self._by_number: dict[str, Contact] = {}
        self._by_id: dict[str, Contact] = {}

    def by_number(self, number: str) -> Contact | None:
        """None: nobody has it."""
        return self._by_number.get(number)

    def by_id(self, contact_id: str) -> Contact:
        """Raises `KeyError`: every call has a contact."""
        return self._by_id[contact_id]

    def upsert(self, number: str, names: Mapping[str, Any]) -> Contact:
        """Names that are given replace those there were."""
        contact = self._by_number.get(number)
        if contact is None:
            contact = Contact(str(uuid4()), number)
            self._by_number[number] = self._by_id[contact.id] = contact
        contact.first_name = str(names.get("first_name", contact.first_name))
        contact.last_name = str(names.get("last_name", contact.last_name))
        return contact
