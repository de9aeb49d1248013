"""`schedulePlan`: when a call may start, and which plans are refused."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from campaigns.simulator.draws import Draws
from campaigns.simulator.vapi.config import VapiConfig

NOT_AN_INSTANT = "schedulePlan.{key} must be a valid ISO 8601 date string"
WRONG_ORDER = "schedulePlan.latestAt must lie after earliestAt and in the future"
IN_THE_PAST = "schedulePlan.earliestAt must lie in the future"
TOO_FAR = "schedulePlan.earliestAt lies too far ahead"


def schedule_problems(plan: object, *, now_ms: int, config: VapiConfig) -> Iterator[str]:
    """Complaints about a plan, in the simulator's own words: Vapi documents none."""
    if not isinstance(plan, Mapping):
        return
    instants = {key: instant_ms(plan.get(key)) for key in ("earliestAt", "latestAt")}
    wrong = [key for key in instants if instants[key] is None and (key in plan or key == "earliestAt")]
    if wrong:
        yield from (NOT_AN_INSTANT.format(key=key) for key in wrong)
        return
    earliest, latest = instants["earliestAt"] or 0, instants["latestAt"]
    if latest is not None and latest < max(earliest, now_ms) and config.schedule_order == "refuse":
        yield WRONG_ORDER
    if earliest < now_ms and config.schedule_past == "refuse":
        yield IN_THE_PAST
    if config.schedule_horizon is not None and earliest > now_ms + config.schedule_horizon * 1000:
        yield TOO_FAR


def start_ms(request: Mapping[str, Any], *, draws: Draws, config: VapiConfig) -> int | None:
    """When a scheduled call will be begun, late as Vapi is; None: at once."""
    plan = request.get("schedulePlan")
    earliest = instant_ms(plan.get("earliestAt")) if isinstance(plan, Mapping) else None
    if earliest is None:
        return None
    return earliest + int(draws.seconds("schedule", span=config.schedule_delay) * 1000)


def latest_ms(request: Mapping[str, Any]) -> int | None:
    """None: the call may start at any time."""
    plan = request.get("schedulePlan")
    return instant_ms(plan.get("latestAt")) if isinstance(plan, Mapping) else None


def instant_ms(text: object) -> int | None:
    """Milliseconds since 1970; None for what is no ISO 8601 date."""
    try:
        return int(datetime.fromisoformat(str(text)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
