"""What is said on a simulated call, and what Vapi's analysis makes of it. The same seed tells the same again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.vapi.config import VapiConfig

HUMAN_OUTCOMES = frozenset({"answered"})
MACHINE_OUTCOMES = frozenset({"voicemail"})
SPEAKING_SECONDS = 3.0
"""How long one turn takes at most."""


@dataclass(frozen=True, slots=True)
class Script:
    """One way in which a conversation goes."""

    turns: tuple[tuple[str, str], ...]
    """Role, `bot` or `user`, and words."""
    summary: str
    success: bool


_SCRIPTS: Mapping[str, Script] = {
    "goes_well": Script(
        turns=(
            ("bot", "Hello, this is a simulated assistant. Is this a good time?"),
            ("user", "Yes, go ahead."),
            ("bot", "Thank you. Shall I note down that you are content?"),
            ("user", "Please do."),
            ("bot", "Done. That was all. Goodbye."),
        ),
        summary="The person took the call, answered the question and was content.",
        success=True,
    ),
    "no_time": Script(
        turns=(
            ("bot", "Hello, this is a simulated assistant. Is this a good time?"),
            ("user", "Not really, I am in a meeting."),
            ("bot", "I understand. Goodbye."),
        ),
        summary="The person took the call and had no time.",
        success=False,
    ),
    "short": Script(
        turns=(
            ("bot", "Hello, this is a simulated assistant. Is this a good time?"),
            ("user", "Yes, but make it short."),
            ("bot", "It was only a test. Goodbye."),
        ),
        summary="The person took the call and heard that it was a test.",
        success=True,
    ),
}
_MACHINE = Script(
    turns=(("bot", "Hello, this is a simulated assistant. Is this a good time?"),),
    summary="A machine took the call.",
    success=False,
)
_WEIGHTS = {"goes_well": 0.6, "no_time": 0.2, "short": 0.2}

_GRADES: Mapping[str, tuple[str, str]] = {
    "PassFail": ("true", "false"),
    "NumericScale": ("9", "3"),
    "DescriptiveScale": ("Excellent", "Poor"),
}
"""Rubric → what success and failure are called."""


def script_of(call: SimulatedCall) -> Script | None:
    """None: nobody picked up, or the line was silent, as in a pipeline error."""
    if call.started_ms is None:
        return None
    if call.fate.outcome in MACHINE_OUTCOMES:
        return _MACHINE
    return _SCRIPTS[call.draws.pick("script", weights=_WEIGHTS)] if call.fate.outcome in HUMAN_OUTCOMES else None


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


def transcript_of(call: SimulatedCall) -> str:
    """Line by line, as Vapi writes it."""
    script = script_of(call)
    names = {"bot": "AI", "user": "User"}
    return "" if script is None else "".join(f"{names[role]}: {text}\n" for role, text in script.turns)


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
