"""Looking, without changing: every list that says something of a number, and which lists there are and how old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from campaigns.compliance.list_names import is_state_list
from campaigns.compliance.rules import RuleBook
from campaigns.files.registry import NATIONAL, RegistryFiles
from campaigns.services.registry import RegistryAnswer, read_registry
from campaigns.store.lists import ListVersion, active_versions, database_now
from campaigns.store.suppressions import Entry, entries_of, entry_counts

COUNTRY = "US"


@dataclass(frozen=True, slots=True)
class ListState:
    """One list: what is on it now, and the import in force. `version` None: nothing was imported, only added."""

    list_name: str
    numbers: int
    version: ListVersion | None
    age: timedelta | None
    is_stale: bool = False
    """Too old for sales calls, or, for a registry never imported, absent."""


@dataclass(frozen=True, slots=True)
class NumberLists:
    """What the lists say of one number at one moment."""

    number: str
    entries: Sequence[Entry]
    registry: RegistryAnswer
    lists: Sequence[ListState]

    @property
    def is_listed(self) -> bool:
        """Whether any list has it, for whatever calls."""
        return bool(self.entries) or self.registry.dnc_national is True


@dataclass(frozen=True, slots=True)
class Overview:
    """All lists, and the states that keep a list of which no version was imported."""

    lists: Sequence[ListState]
    missing_states: Sequence[str]


class LookAtLists:
    """Read-only. `files`: the registry's on this machine, as a worker here sees them."""

    def __init__(self, engine: Engine, rules: RuleBook, files: RegistryFiles) -> None:
        self._engine = engine
        self._rules = rules
        self._files = files

    def at_number(self, number: str) -> NumberLists:
        """What is on record of an E.164 number."""
        with self._engine.begin() as connection:
            now = database_now(connection)
            return NumberLists(
                number=number,
                entries=entries_of(connection, number),
                registry=read_registry(connection, self._files, at=now).answer(number, rehearsal=False),
                lists=[
                    self._state(version, version.numbers, now=now) for version in active_versions(connection).values()
                ],
            )

    def overview(self) -> Overview:
        """Every list there is."""
        with self._engine.begin() as connection:
            now, versions, counts = database_now(connection), active_versions(connection), entry_counts(connection)
        states = [
            self._state(version, counts.get(name, 0) if version.folder is None else version.numbers, now=now)
            for name, version in versions.items()
        ]
        states += [ListState(name, count, None, None) for name, count in counts.items() if name not in versions]
        if NATIONAL not in versions:
            states.append(ListState(NATIONAL, 0, None, None, is_stale=True))
        kept = {one.key for one in self._rules.jurisdictions.values() if one.state_dnc_list}
        return Overview(sorted(states, key=_order), sorted(kept - versions.keys()))

    def _state(self, version: ListVersion, numbers: int, *, now: datetime) -> ListState:
        age, most = now - version.obtained_at, self._rules.jurisdictions[COUNTRY].dnc_max_age
        is_stale = version.list_name == NATIONAL and most is not None and age > most
        return ListState(version.list_name, numbers, version, age, is_stale)


def _order(state: ListState) -> tuple[bool, bool, str]:
    """The registry first, then the states', then our own."""
    return state.list_name != NATIONAL, not is_state_list(state.list_name), state.list_name
