"""A simulated conversation as Vapi tells it, and what its analysis makes of it."""

from collections.abc import Mapping
from typing import Any

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.scripts import HUMAN_OUTCOMES, script_of
from campaigns.simulator.vapi.config import VapiConfig

SPEAKING_SECONDS = 3.0
"""How long one turn takes at most."""


_GRADES: Mapping[str, tuple[str, str]] = {
    "PassFail": ("true", "false"),
    "NumericScale": ("9", "3"),
    "DescriptiveScale": ("Excellent", "Poor"),
}
"""Rubric → what success and failure are called."""


def messages_of(call: SimulatedCall, *, seconds: float) -> list[dict[str, Any]]:
    """The turns, spread over the seconds of the conversation."""
    script = script_of(call)
    if script is None or call.started_ms is None:
        return []
    step = seconds / len(script.turns)
    return [
        _turn(role, text, started_ms=call.started_ms, at=index * step, takes=min(step, SPEAKING_SECONDS))
        for index, (role, text) in enumerate(script.turns)
    ]


def analysis_of(call: SimulatedCall, *, config: VapiConfig) -> dict[str, Any]:
    """Summary, structured data and the grade; empty where there was nothing to analyse."""
    script = script_of(call)
    if script is None or not call.draws.share("analysis") < config.analysis:
        return {}
    passed, failed = _GRADES[config.success_rubric]
    analysis = {"summary": script.summary, "successEvaluation": passed if script.success else failed}
    return {**analysis, **_structured_data(call, config=config)}


def _structured_data(call: SimulatedCall, *, config: VapiConfig) -> dict[str, Any]:
    if call.fate.outcome not in HUMAN_OUTCOMES:
        return {}
    word = config.scripted_dispositions.get(call.number)
    if word is None and any(config.dispositions.values()):
        word = call.draws.pick("disposition", weights=config.dispositions)
    return {} if word is None else {"structuredData": {"disposition": word}}


def _turn(role: str, text: str, *, started_ms: int, at: float, takes: float) -> dict[str, Any]:
    begins = started_ms + round(at * 1000)
    return {"role": role, "message": text, "time": begins, "endTime": begins + round(takes * 1000),
            "secondsFromStart": round(at, 3), "duration": round(takes * 1000)}  # fmt: skip
