"""Where a run's rows come from: the customer file, or the customers written into the campaign file."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaigns.definition.model import CampaignDefinition
from campaigns.definition.people import InlineCustomer
from campaigns.files.customer_file import digest_of, open_customers
from campaigns.files.customer_problems import SourceItem, SourceRow


@dataclass(frozen=True, slots=True)
class CustomerRows:
    """The list of one run, to be read as often as needed."""

    definition: CampaignDefinition
    path: Path | None
    """None: inline customers."""

    def digest(self) -> str | None:
        """SHA-256 of the file as it is now; None for inline customers. Raises `CustomerFileError`."""
        return digest_of(self.path) if self.path else None

    def open(self) -> "OpenRows":
        """Begin to read."""
        return OpenRows(self)


@dataclass(slots=True)
class OpenRows:
    """One reading of the list."""

    source: CustomerRows
    _seen: Any = field(default_factory=hashlib.sha256)

    def __iter__(self) -> Iterator[SourceItem]:
        """Every row, in order. Raises `CustomerFileError`."""
        customers = self.source.definition.customers
        if self.source.path is None:
            return _inline_rows(customers.list or ())
        return open_customers(self.source.path, required=list(customers.headers().values()), seen=self._seen)

    def digest(self) -> str | None:
        """Of the bytes that were read; to be asked after the last row."""
        return str(self._seen.hexdigest()) if self.source.path else None


def _inline_rows(customers: tuple[InlineCustomer, ...]) -> Iterator[SourceItem]:
    for number, customer in enumerate(customers, start=1):
        original = json.dumps(customer.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
        yield SourceRow(number, customer.cells(), original)
