"""Which settings go for a call: its overrides over those of its assistant, inline or saved."""

from collections.abc import Mapping
from typing import Any, Literal

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.vapi.assistants import Assistants

DEFAULT_MAX_DURATION_SECONDS = 600.0


class CallSettings:
    """The settings of one call, looked up anew each time: a saved assistant may have changed since."""

    def __init__(
        self,
        request: Mapping[str, Any],
        customer: Mapping[str, Any],
        *,
        assistants: Assistants,
        how: Literal["replace", "merge"],
    ) -> None:
        inline, saved = request.get("assistant"), assistants.get(request.get("assistantId"))
        self._layers = (
            _overrides(request, customer, how=how),
            _mapping(inline),
            saved.settings if saved else {},
        )

    def get(self, key: str) -> Any:
        """None: nobody has set it."""
        return next((layer[key] for layer in self._layers if layer.get(key) is not None), None)

    @property
    def max_duration(self) -> float:
        """Seconds."""
        return float(self.get("maxDurationSeconds") or DEFAULT_MAX_DURATION_SECONDS)

    @property
    def detects_voicemail(self) -> bool:
        """False: to the assistant a machine is a person."""
        return self.get("voicemailDetection") not in (None, "off")


def settings_of(call: SimulatedCall, *, assistants: Assistants, how: Literal["replace", "merge"]) -> CallSettings:
    """Those of a call that was made."""
    return CallSettings(call.request, call.customer, assistants=assistants, how=how)


def _overrides(
    request: Mapping[str, Any], customer: Mapping[str, Any], *, how: Literal["replace", "merge"]
) -> Mapping[str, Any]:
    """The customer's own block replaces the call's, unless told to be merged over it."""
    general = _mapping(request.get("assistantOverrides") or request.get("squadOverrides"))
    own = _mapping(customer.get("assistantOverrides") or customer.get("squadOverrides"))
    return {**general, **own} if how == "merge" else own or general


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
