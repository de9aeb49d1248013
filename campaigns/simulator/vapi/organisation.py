"""The simulated organisation: its assistants and numbers, and what they mean for its calls."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from campaigns.simulator.calls import CallKind, SimulatedCall
from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.dialect import Happening
from campaigns.simulator.fates import Fate
from campaigns.simulator.simulation import Simulation
from campaigns.simulator.vapi.assistants import Assistants
from campaigns.simulator.vapi.bodies import View
from campaigns.simulator.vapi.dialect import VAPI
from campaigns.simulator.vapi.hindrances import hindrance_of
from campaigns.simulator.vapi.numbers import PhoneNumber, PhoneNumbers
from campaigns.simulator.vapi.overrides import CallSettings, settings_of
from campaigns.simulator.vapi.reporting import Reporter
from campaigns.simulator.webhooks import Delivery

TOO_LONG = "exceeded-max-duration"
SILENT = "silence-timed-out"


class Organisation:
    """Shared by all of Vapi's endpoints. Its `dialect` is what its calls carry."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.assistants = Assistants(simulation)
        self.numbers = PhoneNumbers(simulation)
        self.dialect = replace(VAPI, deliveries=self._deliveries, hindrance=self._hindrance)

    @property
    def config(self) -> SimulatorConfig:
        """As it is at this moment."""
        return self.simulation.config

    @property
    def view(self) -> View:
        """For bodies that leave now."""
        return View(self.simulation.base_url, self.config)

    def has_line(self, line: object) -> bool:
        """Whether a call may be made from this id."""
        return self.numbers.get(line) is not None

    def has_assistant(self, assistant_id: object) -> bool:
        """Whether a call may be made with this id."""
        return self.assistants.get(assistant_id) is not None

    def line_of(self, request: Mapping[str, Any]) -> PhoneNumber | None:
        """None: an inline number, or one that is gone."""
        return self.numbers.get(request.get("phoneNumberId"))

    def settings(self, call: SimulatedCall) -> CallSettings:
        """Those of a call, as its assistant is saved now."""
        return settings_of(call, assistants=self.assistants, how=self.config.vapi.customer_overrides)

    def shaped(self, fate: Fate, *, request: Mapping[str, Any], customer: Mapping[str, Any]) -> Fate:
        """A fate as the settings cut it: at most so long, and a machine that is not looked for is not found."""
        how = self.config.vapi.customer_overrides
        settings = CallSettings(request, customer, assistants=self.assistants, how=how)
        if fate.talk is not None and fate.talk > settings.max_duration:
            return replace(fate, talk=settings.max_duration, reason=TOO_LONG)
        told = settings.detects_voicemail or self.config.vapi.machine_without_detection == "voicemail"
        return fate if told or fate.outcome != "voicemail" else replace(fate, reason=SILENT)

    def _hindrance(self, call: SimulatedCall) -> str | None:
        return hindrance_of(call, organisation=self) if call.kind is CallKind.OUTBOUND else None

    def _deliveries(self, happening: Happening, /, *, config: SimulatorConfig, base_url: str) -> Iterable[Delivery]:
        reporter = Reporter(settings=self.settings, numbers=self.numbers, view=View(base_url, config))
        delivery = reporter.delivery_of(happening)
        return () if delivery is None else (delivery,)
