"""Calls that the organisation did not dial: they come in by telephone or from a browser."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from campaigns.simulator.calls import CallKind, SimulatedCall
from campaigns.simulator.draws import Draws
from campaigns.simulator.fates import Fate
from campaigns.simulator.vapi.organisation import Organisation

RING_SECONDS = 2.0
"""Until an assistant picks up."""


class Receiver:
    """Makes such calls; each has draws of its own, so that they change nothing about the calls that are dialed."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._by_caller: Counter[str] = Counter()

    def is_full(self) -> bool:
        """These calls share the account's limit with those that are dialed."""
        return self._organisation.simulation.telephony.is_full(self._organisation.dialect)

    def make(
        self, kind: CallKind, *, caller: str, line: str, request: Mapping[str, Any], customer: Mapping[str, Any]
    ) -> SimulatedCall:
        """A call that nobody has taken yet."""
        self._by_caller[caller] += 1
        organisation = self._organisation
        draws = Draws(organisation.config.seed, f"{kind}:{caller}", self._by_caller[caller])
        now_ms = organisation.simulation.clock.now_ms()
        return SimulatedCall(
            id=organisation.dialect.new_id(now_ms),
            dialect=organisation.dialect,
            number=caller,
            attempt=None,
            name=request.get("name"),
            line=line,
            request=request,
            customer=customer,
            draws=draws,
            fate=self._taken(draws),
            created_ms=now_ms,
            updated_ms=now_ms,
            kind=kind,
        )

    def begin(self, call: SimulatedCall) -> None:
        """From here on it is listed, and plays."""
        call.fate = self._organisation.shaped(call.fate, request=call.request, customer=call.customer)
        self._organisation.simulation.telephony.receive(call)

    def refuse(self, call: SimulatedCall, *, reason: str) -> None:
        """It ends without an assistant."""
        call.fate = Fate(outcome="config_error", queued=0, ring=None, talk=None, report_delay=0, reason=reason)
        self._organisation.simulation.telephony.receive(call)

    def _taken(self, draws: Draws) -> Fate:
        config = self._organisation.config
        return Fate(
            outcome="answered",
            queued=0.0,
            ring=RING_SECONDS,
            talk=draws.seconds("talk", span=config.talk),
            report_delay=draws.seconds("report", span=config.report_delay),
        )
