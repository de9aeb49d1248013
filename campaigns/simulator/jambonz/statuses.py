"""jambonz's `call_status` and `sip_status` for each state of a call."""

from dataclasses import dataclass

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.config import SimulatorConfig

BUSY_BY_CODE = frozenset({486, 603})
"""What jambonz's feature server calls busy; Cognigy's page tells it of 486 and 600, by another word."""
BUSY_BY_PAGE = frozenset({486, 600})
NOT_ANSWERED = 487


@dataclass(frozen=True, slots=True)
class SipState:
    """Where a call stands."""

    call_status: str
    sip_status: int
    sip_reason: str


def state_of(call: SimulatedCall, *, status: str, config: SimulatorConfig) -> SipState:
    """`status`: one of the simulator's own words, or `early-media`."""
    match status:
        case "ringing":
            return SipState("ringing", 180, "Ringing")
        case "early-media":
            return SipState("early-media", 183, "Session Progress")
        case "in-progress":
            return SipState("in-progress", 200, "OK")
        case "ended":
            return _ended(call, config=config)
        case _:
            return SipState(config.jambonz.first_status, 100, "Trying")


def _ended(call: SimulatedCall, *, config: SimulatorConfig) -> SipState:
    code, _, reason = (call.ended_reason or "").partition(" ")
    sip_status = int(code)
    if call.started_ms is not None:
        return SipState("completed", sip_status, reason)
    return SipState(_failure(sip_status, config=config), sip_status, reason)


def _failure(sip_status: int, *, config: SimulatorConfig) -> str:
    if sip_status == NOT_ANSWERED:
        return "no-answer"
    if config.jambonz.busy_status == "no-answer":
        return "no-answer" if sip_status in BUSY_BY_PAGE else "failed"
    return "busy" if sip_status in BUSY_BY_CODE else "failed"
