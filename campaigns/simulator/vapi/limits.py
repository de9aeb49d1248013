"""Limits that are known at the create: of the account, of a line, of a free number."""

from collections.abc import Mapping
from typing import Any

from campaigns.simulator.vapi.config import WhenTold
from campaigns.simulator.vapi.hindrances import is_abroad
from campaigns.simulator.vapi.numbers import PhoneNumber
from campaigns.simulator.vapi.organisation import Organisation

DAILY_LIMIT = "Numbers Bought On Vapi Have A Daily Outbound Call Limit. Import your own number to call more."
INTERNATIONAL = "Numbers Bought On Vapi Cannot Make International Calls. Import your own number to call abroad."
OVER_CONCURRENCY = "Over Concurrency Limit"


def line_refusal(body: Mapping[str, Any], *, number: str, organisation: Organisation) -> str | None:
    """Why this line may not call this number today; None: it may, or it will be told only when the call starts."""
    line = organisation.line_of(body)
    today = organisation.simulation.intake.calls_today(str(body.get("phoneNumberId") or "inline"))
    limit = organisation.config.line_daily_limit
    if limit is not None and today >= limit:
        return DAILY_LIMIT
    return _free_refusal(line, number=number, today=today, organisation=organisation) if line else None


def _free_refusal(line: PhoneNumber, *, number: str, today: int, organisation: Organisation) -> str | None:
    config = organisation.config.vapi
    if not line.is_free:
        return None
    if config.free_international_told is WhenTold.REFUSE and is_abroad(number):
        return INTERNATIONAL
    refuses = config.free_daily_limit_told is WhenTold.REFUSE and config.free_daily_limit is not None
    return DAILY_LIMIT if refuses and today >= (config.free_daily_limit or 0) else None


def subscription_limits(organisation: Organisation) -> dict[str, Any]:
    """The block of that name in every 201."""
    limit = organisation.config.concurrency_limit
    if limit is None:
        return {"concurrencyBlocked": False}
    left = limit - organisation.simulation.ledger.in_flight_by_provider[organisation.dialect.name]
    return {"concurrencyBlocked": left <= 0, "concurrencyLimit": limit, "remainingConcurrentCalls": max(0, left)}
