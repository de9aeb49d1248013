"""What is said on a simulated call, whichever provider carries it. The same seed tells the same again."""

from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.simulator.calls import SimulatedCall

HUMAN_OUTCOMES = frozenset({"answered"})
MACHINE_OUTCOMES = frozenset({"voicemail"})


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


def script_of(call: SimulatedCall) -> Script | None:
    """None: nobody picked up, or the line was silent, as in a pipeline error."""
    if call.started_ms is None:
        return None
    if call.fate.outcome in MACHINE_OUTCOMES:
        return _MACHINE
    return _SCRIPTS[call.draws.pick("script", weights=_WEIGHTS)] if call.fate.outcome in HUMAN_OUTCOMES else None


def transcript_of(call: SimulatedCall) -> str:
    """Line by line."""
    script = script_of(call)
    names = {"bot": "AI", "user": "User"}
    return "" if script is None else "".join(f"{names[role]}: {text}\n" for role, text in script.turns)
