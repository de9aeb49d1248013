"""Consent records: a list of them taken over whole, one of them added, and all that is on record of one number."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from campaigns.compliance.revocations import same_seller
from campaigns.customers.consent_row import KEYS, PROOF, ConsentRecord, read_consent
from campaigns.customers.row import RowReject
from campaigns.files.consent_file import open_consents, unread_columns
from campaigns.files.customer_file import digest_of
from campaigns.files.customer_problems import CustomerFileError, SourceItem, SourceProblem, SourceRow
from campaigns.files.reject_file import RejectFile
from campaigns.store import consent as rows
from campaigns.store.campaigns import machine_now, record_operation
from campaigns.store.provider_cancels import CancelOnRecord, cancels_of
from campaigns.store.revocations import RevocationOnRecord, revocations_of

CHUNK_ROWS = 5_000
"""Rows a statement: a list of any length is read in little memory."""
MOST_REJECTS_SHOWN = 100
OWN_HEADERS: Mapping[str, str] = {key: key for key in KEYS}
"""Our keys as headers, unless the caller names others."""


class ConsentRefusedError(Exception):
    """What was given is no consent. The message says why."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a list is to be read. `defaults`: our key → text for rows whose own cell is empty."""

    columns: Mapping[str, str] = field(default_factory=lambda: OWN_HEADERS)
    defaults: Mapping[str, str] = field(default_factory=dict)
    default_region: str | None = None

    @property
    def needed(self) -> dict[str, str]:
        """The headers that a list must have: what each consent needs and no default gives."""
        return {key: self.columns[key] for key in ("number", *PROOF, "seller") if key not in self.defaults}


@dataclass(frozen=True, slots=True)
class ShownReject:
    """A row that is no consent; the message repeats no number."""

    row_number: int
    reason: str
    message: str


@dataclass(slots=True)
class ImportedConsents:
    """`rows = recorded + known + rejected`; of the rejects the first hundred are kept to show."""

    sha256: str
    rows: int = 0
    recorded: int = 0
    rejected: int = 0
    rejects: list[ShownReject] = field(default_factory=list)
    unread_columns: list[str] = field(default_factory=list)
    """Headers of the list of which nothing went on record."""

    @property
    def known(self) -> int:
        """Consents that were on record before."""
        return self.rows - self.recorded - self.rejected


class ImportConsents:
    """Take a list over in one transaction: whole, or not at all. The same list again adds nothing."""

    def __init__(self, engine: Engine, layout: Layout, *, operator: str) -> None:
        self._engine = engine
        self._layout = layout
        self._operator = operator

    def run(self, path: Path, *, rejects_path: Path | None = None) -> ImportedConsents:
        """Every good row becomes a record with the list's name, its SHA-256 and the row's number.

        `rejects_path`: where the other rows are written. Raises `CustomerFileError` for a list that cannot be read.
        """
        if not path.is_file():
            raise CustomerFileError("there is no such file; give a .csv or .jsonl file", file=path.name)
        imported = ImportedConsents(sha256=digest_of(path))
        if rejects_path is None:
            self._take_over(path, imported, rejects=None)
        else:
            with RejectFile(rejects_path) as rejects:
                self._take_over(path, imported, rejects=rejects)
        return imported

    def _take_over(self, path: Path, imported: ImportedConsents, *, rejects: RejectFile | None) -> None:
        seen = hashlib.sha256()
        items = open_consents(path, needed=self._layout.needed, seen=seen)
        with self._engine.begin() as connection:
            now = machine_now(connection)
            while chunk := list(islice(items, CHUNK_ROWS)):
                consents = list(self._read(chunk, imported, rejects, now=now))
                imported.recorded += rows.add_consents(
                    connection, consents, file=path.name, source_digest=imported.sha256, recorded_by=self._operator
                )
            if seen.hexdigest() != imported.sha256:
                raise CustomerFileError(
                    "the list changed while it was read, and nothing of it was recorded; import it again",
                    file=path.name,
                )
            detail = f"{imported.recorded} recorded, {imported.rejected} rejected, sha256 {imported.sha256}"
            record_operation(
                connection, operator=self._operator, action="consent import", subject=path.name, detail=detail
            )

    def _read(
        self, chunk: Iterable[SourceItem], imported: ImportedConsents, rejects: RejectFile | None, *, now: datetime
    ) -> Iterator[rows.ListedConsent]:
        for item in chunk:
            imported.rows += 1
            result = self._read_row(item, imported, now=now)
            if isinstance(result, ConsentRecord):
                yield rows.ListedConsent(result, item.row_number)
                continue
            imported.rejected += 1
            if len(imported.rejects) < MOST_REJECTS_SHOWN:
                imported.rejects.append(ShownReject(item.row_number, result.reason, result.message))
            if rejects is not None:
                rejects.add(item.row_number, reason=result.reason, detail=result.message, original=item.original)

    def _read_row(self, item: SourceItem, imported: ImportedConsents, *, now: datetime) -> ConsentRecord | RowReject:
        if isinstance(item, SourceProblem):
            return RowReject(item.reason, item.detail)
        if item.row_number == 1:
            imported.unread_columns = unread_columns(item, self._layout.columns)
        return _read_values(item, self._layout, now=now)


def _read_values(item: SourceRow, layout: Layout, *, now: datetime) -> ConsentRecord | RowReject:
    return read_consent(
        item.values,
        columns=layout.columns,
        defaults=layout.defaults,
        default_region=layout.default_region,
        now=now,
    )


def add_consent(engine: Engine, values: Mapping[str, str], *, default_region: str | None, operator: str) -> bool:
    """Put one consent on record, given as key → text. False: it was there already. Raises `ConsentRefusedError`."""
    with engine.begin() as connection:
        record = read_consent(
            values, columns=OWN_HEADERS, defaults={}, default_region=default_region, now=machine_now(connection)
        )
        if isinstance(record, RowReject):
            raise ConsentRefusedError(record.message)
        listed = [rows.ListedConsent(record)]
        added = rows.add_consents(connection, listed, file=None, source_digest=None, recorded_by=operator)
        if added:
            record_operation(connection, operator=operator, action="consent add", subject="1 consent")
    return added == 1


@dataclass(frozen=True, slots=True)
class OneNumber:
    """What is on record of one number, each list the oldest first."""

    consents: Sequence[rows.ConsentOnRecord]
    revocations: Sequence[RevocationOnRecord]
    asked_back: Sequence[CancelOnRecord]

    def ended_by(self, consent: rows.ConsentOnRecord) -> int | None:
        """Id of the first revocation that took this consent back wholly; None: it stands for some calls at least."""
        return next((each.id for each in self.revocations if _ends(each, consent)), None)


def on_record(engine: Engine, number: str) -> OneNumber:
    """Consents, revocations, and calls that were asked back from a provider."""
    with engine.begin() as connection:
        return OneNumber(
            consents=rows.consents_of(connection, number),
            revocations=revocations_of(connection, number),
            asked_back=cancels_of(connection, number),
        )


def _ends(revocation: RevocationOnRecord, consent: rows.ConsentOnRecord) -> bool:
    if revocation.effective_at < consent.obtained_at:
        return False
    match revocation.scope:
        case "all":
            return True
        case "seller":
            return same_seller(revocation.scope_value or "", consent.seller)
        case "purpose":
            return revocation.scope_value == consent.purpose
        case "campaign":
            return False
