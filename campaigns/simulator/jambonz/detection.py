"""Answering machine detection: who picked up, told to a hook of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.config import SimulatorConfig


@dataclass(frozen=True, slots=True)
class Detection:
    """One event. `after`: simulated seconds from the pick-up, or from the end of a call whose word is late."""

    type: str
    after: float
    details: Mapping[str, Any]


_HUMAN = {"reason": "short greeting", "greeting": "Hello?", "language": "en-US"}
_MACHINE = {
    "reason": "hint",
    "hint": "leave a message",
    "transcript": "please leave a message after the tone",
    "language": "en-US",
}
BEEP_SECONDS = 2.0
"""From the word that it is a machine to its beep."""


def comes_late(call: SimulatedCall, *, config: SimulatorConfig) -> bool:
    """The word comes only after `completed`."""
    return call.draws.happens("amd late", rate=config.jambonz.amd_after_completed)


def detections(call: SimulatedCall, *, config: SimulatorConfig) -> Iterator[Detection]:
    """The events of a call that was picked up: a voicemail is a machine, all else that answers is a human."""
    late = comes_late(call, config=config)
    span = config.jambonz.amd_lateness if late else config.jambonz.amd_delay
    after = call.draws.seconds("amd", span=span)
    if call.draws.happens("amd undecided", rate=config.jambonz.amd_undecided):
        yield Detection("amd_decision_timeout", after, {})
    elif call.fate.outcome == "voicemail":
        yield Detection("amd_machine_detected", after, _MACHINE)
        yield Detection("amd_tone_detected", after + BEEP_SECONDS, {})
    else:
        yield Detection("amd_human_detected", after, _HUMAN)
    yield Detection("amd_stopped", after + BEEP_SECONDS, {})
