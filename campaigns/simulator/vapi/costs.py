"""What a simulated call costs: per minute of conversation, the same for the same seed."""

from typing import Any

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.scripts import script_of

DOLLARS_PER_MINUTE = {"transport": 0.008, "stt": 0.01, "llm": 0.02, "tts": 0.036, "vapi": 0.05}
PROMPT_TOKENS_PER_MINUTE = 900
COMPLETION_TOKENS_PER_MINUTE = 120
CHARACTERS_PER_MINUTE = 700
SUMMARY_TOKENS = (350, 40)
DOLLARS_PER_SUMMARY = 0.0004

_MODEL = {"provider": "openai", "model": "gpt-4o"}
_VOICE = {"provider": "vapi", "voiceId": "Elliot"}
_TRANSCRIBER = {"provider": "deepgram", "model": "nova-3"}


def talk_seconds(call: SimulatedCall, *, speed: float) -> float:
    """Simulated seconds of conversation: what fate gave, or less if it was cut short."""
    if call.started_ms is None or call.ended_ms is None:
        return 0.0
    fated = call.fate.talk or 0.0
    was_stopped = call.ended_reason == call.dialect.endings.stopped
    return min(fated, (call.ended_ms - call.started_ms) * speed / 1000) if was_stopped else fated


def cost_of(call: SimulatedCall, *, speed: float) -> float:
    """USD in all."""
    parts = _parts(call, speed=speed)
    return round(sum(parts.values()) + _summary_cost(call), 4)


def cost_breakdown(call: SimulatedCall, *, speed: float) -> dict[str, Any]:
    """USD by part, with the tokens and characters they were charged for."""
    minutes = talk_seconds(call, speed=speed) / 60
    return {
        **_parts(call, speed=speed),
        "total": cost_of(call, speed=speed),
        "llmPromptTokens": round(minutes * PROMPT_TOKENS_PER_MINUTE),
        "llmCompletionTokens": round(minutes * COMPLETION_TOKENS_PER_MINUTE),
        "llmCachedPromptTokens": 0,
        "ttsCharacters": round(minutes * CHARACTERS_PER_MINUTE),
        "analysisCostBreakdown": {"summary": _summary_cost(call), **_summary_tokens(call)},
    }


def costs_of(call: SimulatedCall, *, speed: float) -> list[dict[str, Any]]:
    """The same money, entry by entry; none for a call that nobody answered."""
    parts = _parts(call, speed=speed)
    minutes = round(talk_seconds(call, speed=speed) / 60, 4)
    if not minutes:
        return []
    tokens = {"promptTokens": round(minutes * PROMPT_TOKENS_PER_MINUTE),
              "completionTokens": round(minutes * COMPLETION_TOKENS_PER_MINUTE)}  # fmt: skip
    characters = round(minutes * CHARACTERS_PER_MINUTE)
    entries = [
        {"type": "transport", "provider": "twilio", "minutes": minutes, "cost": parts["transport"]},
        {"type": "transcriber", "transcriber": _TRANSCRIBER, "minutes": minutes, "cost": parts["stt"]},
        {"type": "model", "model": _MODEL, **tokens, "cost": parts["llm"]},
        {"type": "voice", "voice": _VOICE, "characters": characters, "cost": parts["tts"]},
        {"type": "vapi", "subType": "normal", "minutes": minutes, "cost": parts["vapi"]},
    ]
    return [*entries, *_summary_entries(call)]


def _parts(call: SimulatedCall, *, speed: float) -> dict[str, float]:
    minutes = talk_seconds(call, speed=speed) / 60
    return {part: round(price * minutes, 4) for part, price in DOLLARS_PER_MINUTE.items()}


def _summary_cost(call: SimulatedCall) -> float:
    return DOLLARS_PER_SUMMARY if call.ended_ms is not None and script_of(call) else 0.0


def _summary_tokens(call: SimulatedCall) -> dict[str, int]:
    prompt, completion = SUMMARY_TOKENS if _summary_cost(call) else (0, 0)
    return {"summaryPromptTokens": prompt, "summaryCompletionTokens": completion, "summaryCachedPromptTokens": 0}


def _summary_entries(call: SimulatedCall) -> list[dict[str, Any]]:
    if not (cost := _summary_cost(call)):
        return []
    prompt, completion = SUMMARY_TOKENS
    return [{"type": "analysis", "analysisType": "summary", "model": _MODEL, "promptTokens": prompt,
             "completionTokens": completion, "cost": cost}]  # fmt: skip
