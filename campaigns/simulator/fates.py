"""What a call comes to, drawn when it is created and played out by the clock."""

from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.simulator.config import OUTCOMES, SimulatorConfig
from campaigns.simulator.draws import Draws


@dataclass(frozen=True, slots=True)
class Fate:
    """Seconds are simulated ones: divide them by the speed. None: the call ends without that step."""

    outcome: str
    queued: float
    ring: float | None
    talk: float | None
    report_delay: float
    stuck_at: str | None = None
    """The status in which the call stays for ever."""
    reason: str | None = None
    """The provider's word for the end, where the request decides it; None: by outcome."""
    cut: bool = False
    """The conversation ends because the request allowed no longer one."""


_UNREACHED = frozenset({"invalid_number", "provider_error", "config_error"})
"""These end before any phone rings."""

_TALKING: Mapping[str, str] = {"answered": "talk", "voicemail": "voicemail_talk", "pipeline_error": "voicemail_talk"}


def draw_fate(draws: Draws, *, config: SimulatorConfig, stuck: bool) -> Fate:
    """The fate of one call."""
    outcome = _scripted(draws, config=config) or draws.pick("outcome", weights=_weights(config))
    return Fate(
        outcome=outcome,
        queued=draws.seconds("queued", span=config.queued),
        ring=_ring(outcome, draws=draws, config=config),
        talk=draws.seconds("talk", span=getattr(config, _TALKING[outcome])) if outcome in _TALKING else None,
        report_delay=draws.seconds("report", span=config.report_delay),
        stuck_at=config.faults.stuck_at if stuck else None,
    )


def _weights(config: SimulatorConfig) -> dict[str, float]:
    return {name: getattr(config.rates, name) for name in OUTCOMES}


def _scripted(draws: Draws, *, config: SimulatorConfig) -> str | None:
    script = config.scripted.get(draws.number)
    return script[min(draws.nth, len(script)) - 1] if script else None


def _ring(outcome: str, *, draws: Draws, config: SimulatorConfig) -> float | None:
    if outcome in _UNREACHED:
        return None
    return config.ring_timeout if outcome == "no_answer" else draws.seconds("ring", span=config.ring)
