"""The saved assistants of the simulated organisation."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.simulator.calls import new_call_id
from campaigns.simulator.clock import iso
from campaigns.simulator.simulation import Simulation

ORG_ID = "0199a8c4-5b1e-7f3a-9d42-3f6c8e5a7b10"


@dataclass(slots=True)
class SavedAssistant:
    """One of them, as it was last saved."""

    id: str
    settings: Mapping[str, Any]
    created_ms: int
    updated_ms: int

    def body(self) -> dict[str, Any]:
        """As Vapi shows it."""
        about = {"id": self.id, "orgId": ORG_ID, "createdAt": iso(self.created_ms), "updatedAt": iso(self.updated_ms)}
        return {**self.settings, **about}


class Assistants:
    """Those of the configuration are there from the start, with no settings; without any, every id is one."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._saved: dict[str, SavedAssistant] = {}
        self._deleted: set[str] = set()

    def create(self, settings: Mapping[str, Any]) -> SavedAssistant:
        """Settings that were found sound."""
        now_ms = self._simulation.clock.now_ms()
        assistant = SavedAssistant(new_call_id(now_ms), dict(settings), now_ms, now_ms)
        self._saved[assistant.id] = assistant
        return assistant

    def get(self, assistant_id: object) -> SavedAssistant | None:
        """None: there is none of this id, or it was deleted."""
        if not isinstance(assistant_id, str) or assistant_id in self._deleted:
            return None
        configured = self._simulation.config.assistants
        if assistant_id not in self._saved and configured and assistant_id not in configured:
            return None
        return self._saved.get(assistant_id) or SavedAssistant(assistant_id, {}, 0, 0)

    def update(self, assistant: SavedAssistant, settings: Mapping[str, Any]) -> SavedAssistant:
        """What is not named stays; what is null goes."""
        merged = {**assistant.settings, **settings}
        assistant.settings = {key: value for key, value in merged.items() if value is not None}
        assistant.updated_ms = self._simulation.clock.now_ms()
        self._saved[assistant.id] = assistant
        return assistant

    def delete(self, assistant: SavedAssistant) -> None:
        """Calls that are still scheduled with it will fail."""
        self._deleted.add(assistant.id)

    def newest_first(self) -> Iterator[SavedAssistant]:
        """All there are."""
        found = (self.get(each) for each in self._ids())
        yield from sorted(filter(None, found), key=lambda each: (each.created_ms, each.id), reverse=True)

    def _ids(self) -> Iterable[str]:
        return {*self._saved, *self._simulation.config.assistants}
