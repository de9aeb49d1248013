"""What Vapi keeps of a conversation: transcript, summary, recording and cost, wherever its versions put them."""

from collections.abc import Mapping
from typing import Any

from campaigns.providers.contract import Artifacts
from campaigns.providers.fields import amount
from campaigns.providers.words import MOST_TRANSCRIPT, writable, writable_text


def artifacts_of(message: Mapping[str, Any], *, call: Mapping[str, Any]) -> Artifacts:
    """`message`: what carries the news; `call`: who it is about. What is missing in the first is taken from the second.

    `artifact.transcript`, `analysis.summary` and `artifact.recordingUrl` are today's places; the same keys at the root
    are the older ones.
    """
    return Artifacts(
        transcript=_text(message, call, part="artifact", key="transcript", most=MOST_TRANSCRIPT),
        summary=_text(message, call, part="analysis", key="summary", most=MOST_TRANSCRIPT),
        recording_url=_text(message, call, part="artifact", key="recordingUrl", most=MOST_URL),
        cost_breakdown=_costs(message.get("costBreakdown") or call.get("costBreakdown")),
    )


MOST_URL = 2_000
"""Characters; a signed link is some 500 long."""


def _text(*sources: Mapping[str, Any], part: str, key: str, most: int) -> str | None:
    for source in sources:
        inner = source.get(part)
        candidates = (inner.get(key) if isinstance(inner, Mapping) else None, source.get(key))
        for found in candidates:
            if isinstance(found, str) and found.strip():
                return writable_text(found, most=most)
    return None


def _costs(breakdown: object) -> dict[str, float]:
    """The amounts in USD. Token counts stand beside them, and parts of parts below them; neither is kept."""
    if not isinstance(breakdown, Mapping):
        return {}
    costs = {writable(key): amount(value) for key, value in breakdown.items()}
    return {
        name: cost for name, cost in costs.items() if cost is not None and not name.endswith(("Tokens", "Characters"))
    }
