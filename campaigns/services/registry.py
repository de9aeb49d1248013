"""The national registry as a claim asks it: the version in force, and what this machine's files say of a number."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from campaigns.files.list_problems import UnreadableListError
from campaigns.files.registry import NATIONAL, OnList, RegistryFiles
from campaigns.store.lists import ListVersion, active_version

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """What the gate is told; the names are those of `Facts`, and None means: not under test."""

    dnc_registry: Literal["read", "missing", "unreadable"] | None = None
    dnc_covered: bool | None = None
    dnc_national: bool | None = None
    dnc_list_age: timedelta | None = None
    dnc_version: int | None = None


_MISSING = RegistryAnswer(dnc_registry="missing")
_UNREADABLE = RegistryAnswer(dnc_registry="unreadable")
NOT_ASKED = RegistryAnswer()


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry at one moment."""

    version: ListVersion | None
    """None: no version was ever imported."""
    look: Callable[[str], OnList] | None
    """None: this process cannot read the version in force."""
    at: datetime
    """Now, on the campaign's clock."""

    def answer(self, number: str, *, rehearsal: bool) -> RegistryAnswer:
        """What is known of an E.164 number. A rehearsal calls nobody, so the registry need not be there or be fresh."""
        found = self._found(number)
        if rehearsal:
            listed = found.listed if found and found.covered else None
            return RegistryAnswer(dnc_national=listed, dnc_version=self.version.id if self.version else None)
        if self.version is None:
            return _MISSING
        if found is None:
            return _UNREADABLE
        return RegistryAnswer(
            dnc_registry="read",
            dnc_covered=found.covered,
            dnc_national=found.listed if found.covered else None,
            dnc_list_age=self.at - self.version.obtained_at,
            dnc_version=self.version.id,
        )

    def _found(self, number: str) -> OnList | None:
        if self.look is None:
            return None
        try:
            return self.look(number)
        except UnreadableListError as error:
            log.error("registry_unreadable problem=%s", error)
            return None


def read_registry(connection: Connection, files: RegistryFiles | None, *, at: datetime) -> Registry:
    """The version in force, read in the caller's transaction. `files`: None in a process that holds none."""
    return registry_of(active_version(connection, NATIONAL), files, at=at)


def registry_of(version: ListVersion | None, files: RegistryFiles | None, *, at: datetime) -> Registry:
    """The registry in this version."""
    if version is None or version.folder is None or files is None:
        return Registry(version, None, at)
    try:
        return Registry(version, files.version(version.folder).look, at)
    except UnreadableListError as error:
        log.error("registry_unreadable problem=%s", error)
        return Registry(version, None, at)
