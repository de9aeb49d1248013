"""Versions of imported lists: one row an import, at most one of each list in force. The row is the switch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class ListVersion:
    """An import on record. `folder`: the name of its bit files' folder; None: its entries are rows."""

    id: int
    list_name: str
    folder: str | None
    obtained_at: datetime
    source: str
    subscription: str | None
    area_codes: Sequence[str]
    """What it covers; of any other area code it says nothing. Empty for a list of rows, which is not kept by them."""
    numbers: int
    rejects: int
    sha256: str
    imported_at: datetime
    imported_by: str


@dataclass(frozen=True, slots=True)
class NewVersion:
    """An import as it goes on record."""

    list_name: str
    folder: str | None
    obtained_at: datetime
    source: str
    subscription: str | None
    area_codes: Sequence[str]
    numbers: int
    rejects: int
    sha256: str


_VERSIONS = """
    SELECT id, list_name, folder, obtained_at, source, subscription, area_codes, numbers, rejects, sha256, imported_at,
        imported_by
    FROM list_versions
"""
_IN_FORCE = text(f"{_VERSIONS} WHERE replaced_at IS NULL ORDER BY list_name")
_ONE_IN_FORCE = text(f"{_VERSIONS} WHERE replaced_at IS NULL AND list_name = :list_name")
_NEWEST = text(f"{_VERSIONS} WHERE list_name = :list_name ORDER BY id DESC LIMIT :most")


def active_versions(connection: Connection) -> dict[str, ListVersion]:
    """The version in force of every list, by the list's name. Cheap: read in every claim."""
    return {row.list_name: ListVersion(**row._asdict()) for row in connection.execute(_IN_FORCE)}


def active_version(connection: Connection, list_name: str) -> ListVersion | None:
    """The version in force of one list; None: it was never imported."""
    row = connection.execute(_ONE_IN_FORCE, {"list_name": list_name}).one_or_none()
    return None if row is None else ListVersion(**row._asdict())


def newest_versions(connection: Connection, list_name: str, *, most: int) -> list[ListVersion]:
    """The last imports of a list, the one in force first."""
    rows = connection.execute(_NEWEST, {"list_name": list_name, "most": most})
    return [ListVersion(**row._asdict()) for row in rows]


def database_now(connection: Connection) -> datetime:
    """The clock that every decision is taken by."""
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now


def lock_list(connection: Connection, list_name: str) -> bool:
    """Let no other import of this list go into force until this transaction ends. False: another one is at it."""
    locked: bool = connection.execute(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended(:list_name, :seed))"),
        {"list_name": list_name, "seed": _LIST_LOCK_SEED},
    ).scalar_one()
    return locked


_LIST_LOCK_SEED = 0x52_46_4C_49
"""Sets the keys of lists ("RFLI") apart from other advisory locks."""


def put_in_force(connection: Connection, new: NewVersion, *, imported_by: str) -> int:
    """Replace the version in force, in the caller's transaction; returns the new one's id. Call `lock_list` before."""
    connection.execute(
        text("""
            UPDATE list_versions SET replaced_at = clock_timestamp()
            WHERE list_name = :list_name AND replaced_at IS NULL
        """),
        {"list_name": new.list_name},
    )
    version_id: int = connection.execute(
        text("""
            INSERT INTO list_versions (list_name, kind, folder, obtained_at, source, subscription, area_codes, numbers,
                rejects, sha256, imported_by)
            VALUES (:list_name, :kind, :folder, :obtained_at, :source, :subscription, :area_codes, :numbers,
                :rejects, :sha256, :imported_by)
            RETURNING id
        """),
        {
            "list_name": new.list_name,
            "kind": "rows" if new.folder is None else "bits",
            "folder": new.folder,
            "obtained_at": new.obtained_at,
            "source": new.source,
            "subscription": new.subscription,
            "area_codes": list(new.area_codes),
            "numbers": new.numbers,
            "rejects": new.rejects,
            "sha256": new.sha256,
            "imported_by": imported_by,
        },
    ).scalar_one()
    return version_id
