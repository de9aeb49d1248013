"""Which word stands for the state of a call, and how it is spelled."""

import re

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.voxworks.config import Spelling, VoxworksConfig
from campaigns.simulator.voxworks.endings import CANCELLED

SCHEDULED = "scheduled"
_LIVE = frozenset({"ringing", "in-progress"})
_SEPARATORS = re.compile(r"[\s_-]+")


def status_of(call: SimulatedCall, *, config: VoxworksConfig) -> str:
    """As an answer or an automation has it."""
    return spelled(_word(call, config=config), spelling=config.spelling)


def spelled(word: str, *, spelling: Spelling) -> str:
    """One of the documented names in another spelling."""
    parts = _SEPARATORS.split(word)
    match spelling:
        case Spelling.TITLE:
            return " ".join(part.title() for part in parts)
        case Spelling.SNAKE:
            return "_".join(parts).lower()
        case Spelling.UPPER:
            return "_".join(parts).upper()
        case Spelling.KEBAB:
            return "-".join(parts).lower()
        case _:
            return word


def _word(call: SimulatedCall, *, config: VoxworksConfig) -> str:
    if call.ended_reason is not None:
        return config.cancelled_word if call.ended_reason == CANCELLED else call.ended_reason
    return call.status if config.progress == "detailed" and call.status in _LIVE else SCHEDULED
