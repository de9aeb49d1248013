"""The phone numbers of the simulated organisation."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.simulator.calls import new_call_id
from campaigns.simulator.clock import iso
from campaigns.simulator.draws import Draws
from campaigns.simulator.simulation import Simulation
from campaigns.simulator.vapi.assistants import ORG_ID
from campaigns.simulator.vapi.number_rules import BOUGHT
from campaigns.simulator.vapi.schema import E164

DEFAULT_AREA_CODE = "415"
INVENTED_ACCOUNT = "AC00000000000000000000000000000000"
"""What an imported number of the configuration belongs to."""


@dataclass(slots=True)
class PhoneNumber:
    """One of them. Instants are milliseconds of the provider's clock."""

    id: str
    settings: Mapping[str, Any]
    """As created and changed since, `provider` and `number` among them."""
    created_ms: int
    updated_ms: int
    active_from_ms: int = 0

    @property
    def is_free(self) -> bool:
        """Bought from Vapi, not imported: no calls abroad, and few a day."""
        return bool(self.settings["provider"] == BOUGHT)

    def body(self, *, now_ms: int) -> dict[str, Any]:
        """As Vapi shows it."""
        status = "active" if self.is_active(now_ms) else "activating"
        about = {"id": self.id, "orgId": ORG_ID, "createdAt": iso(self.created_ms), "updatedAt": iso(self.updated_ms)}
        return {**self.settings, **about, "status": status}

    def is_active(self, now_ms: int) -> bool:
        """False: just bought, and not ready."""
        return now_ms >= self.active_from_ms


class PhoneNumbers:
    """Those of the configuration's `lines` are there from the start; without any, every id is one."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._known: dict[str, PhoneNumber] = {}
        self._configured: dict[tuple[str, bool], PhoneNumber] = {}
        """By id, and whether it is a free one: that may change while the simulator runs."""
        self._deleted: set[str] = set()

    def create(self, settings: Mapping[str, Any]) -> PhoneNumber:
        """Settings that were found sound. A bought number gets one invented, and takes time to become active."""
        now_ms = self._simulation.clock.now_ms()
        number = PhoneNumber(new_call_id(now_ms), dict(settings), now_ms, now_ms)
        if number.is_free:
            number.active_from_ms = now_ms + self._activation_ms()
            number.settings = {**self._invented(settings), **settings}
        self._known[number.id] = number
        return number

    def get(self, number_id: object) -> PhoneNumber | None:
        """None: there is none of this id, or it was deleted."""
        if not isinstance(number_id, str) or number_id in self._deleted:
            return None
        configured = self._simulation.config.lines
        if number_id not in self._known and configured and number_id not in configured:
            return None
        return self._known.get(number_id) or self._from_configuration(number_id)

    def update(self, number: PhoneNumber, settings: Mapping[str, Any]) -> PhoneNumber:
        """What is not named stays; what is null goes."""
        merged = {**number.settings, **settings}
        number.settings = {key: value for key, value in merged.items() if value is not None}
        number.updated_ms = self._simulation.clock.now_ms()
        self._known[number.id] = number
        return number

    def delete(self, number: PhoneNumber) -> None:
        """Calls that are still scheduled from it will fail."""
        self._deleted.add(number.id)

    def newest_first(self) -> Iterator[PhoneNumber]:
        """All there are."""
        found = (self.get(each) for each in self._ids())
        yield from sorted(filter(None, found), key=lambda each: (each.created_ms, each.id), reverse=True)

    def free_ones(self) -> int:
        """How many were bought."""
        return sum(number.is_free for number in self.newest_first())

    def _ids(self) -> Iterable[str]:
        return {*self._known, *self._simulation.config.lines}

    def _activation_ms(self) -> int:
        config = self._simulation.config
        return int(config.vapi.activating / config.speed * 1000)

    def _invented(self, settings: Mapping[str, Any]) -> dict[str, str]:
        if "sipUri" in settings:
            return {}
        area_code = str(settings.get("numberDesiredAreaCode", DEFAULT_AREA_CODE))
        return {"number": _fictitious(area_code, nth=len(self._known))}

    def _from_configuration(self, line: str) -> PhoneNumber:
        key = (line, line in self._simulation.config.vapi.free_lines)
        if key not in self._configured:
            self._configured[key] = _configured(line, is_free=key[1])
        return self._configured[key]


def _configured(line: str, *, is_free: bool) -> PhoneNumber:
    settings = {"provider": BOUGHT if is_free else "twilio", "name": line, "number": _number_of(line)}
    if not is_free:
        settings["twilioAccountSid"] = INVENTED_ACCOUNT
    return PhoneNumber(line, settings, 0, 0)


def _number_of(line: str) -> str:
    """Ids of configured lines may be numbers themselves; for others one is invented, always the same."""
    if E164.fullmatch(line):
        return line
    return _fictitious(DEFAULT_AREA_CODE, nth=int(Draws(0, line, 1).share("number") * 100))


def _fictitious(area_code: str, *, nth: int) -> str:
    """From the hundred numbers of each area code that belong to nobody."""
    return f"+1{area_code}55501{nth % 100:02d}"
