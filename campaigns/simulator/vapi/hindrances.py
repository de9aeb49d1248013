"""Why a call that was accepted does not start: its time is over, or what it needs is gone or spent."""

from typing import TYPE_CHECKING

from campaigns.simulator.calls import SimulatedCall
from campaigns.simulator.vapi.config import WhenTold
from campaigns.simulator.vapi.numbers import PhoneNumber
from campaigns.simulator.vapi.scheduling import latest_ms

if TYPE_CHECKING:
    from campaigns.simulator.vapi.organisation import Organisation

NO_CREDITS = "call.start.error-subscription-insufficient-credits"
NO_LINE = "call.start.error-get-phone-number"
NO_ASSISTANT = "call.start.error-get-assistant"
ABROAD = "call.start.error-vapi-number-international"
SPENT = "call.start.error-vapi-number-outbound-daily-limit"

HOME = "+1"
"""Free numbers are US ones. All of the North American plan counts as home here: Vapi does not say where it ends."""


def is_abroad(number: str) -> bool:
    """A free number may not call it. SIP addresses belong to no country."""
    return number.startswith("+") and not number.startswith(HOME)


def hindrance_of(call: SimulatedCall, *, organisation: "Organisation") -> str | None:
    """The `endedReason` of a call that may not start; None: it may. What is saved is looked up now."""
    config = organisation.config.vapi
    now_ms = organisation.simulation.clock.now_ms()
    latest = latest_ms(call.request)
    if latest is not None and latest < now_ms:
        return config.expired_reason
    if config.credits == "end":
        return NO_CREDITS
    if "assistantId" in call.request and not organisation.has_assistant(call.request["assistantId"]):
        return NO_ASSISTANT
    if "phoneNumberId" not in call.request:
        return None
    line = organisation.line_of(call.request)
    if line is None or not line.is_active(now_ms):
        return NO_LINE
    return _hindrance_of_free(call, line=line, organisation=organisation) if line.is_free else None


def _hindrance_of_free(call: SimulatedCall, *, line: PhoneNumber, organisation: "Organisation") -> str | None:
    config = organisation.config.vapi
    if config.free_international_told is WhenTold.END and is_abroad(call.number):
        return ABROAD
    if config.free_daily_limit_told is not WhenTold.END or config.free_daily_limit is None:
        return None
    # The call itself is among those of today.
    return SPENT if organisation.simulation.intake.calls_today(line.id) > config.free_daily_limit else None
