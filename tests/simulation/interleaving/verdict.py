"""What must hold when all is over: nobody is lost, every end has its reason, and the record is whole."""

from typing import Any

from campaigns.services.audit import Audit
from interleaving.stage import Broken
from interleaving.world import World

TIME_ENOUGH = 3600.0
"""Seconds in which every call gets its first dial, if all is well, at the slowest rate and with every retry of others."""
_LOST = """
    SELECT 'call ' || id || ' ended as ' || state || ' without a reason' AS what FROM calls
    WHERE final_at IS NOT NULL AND coalesce(reason, '') = ''
    UNION ALL
    SELECT 'call ' || id || ' expired, and nothing on record kept it from being dialed' FROM calls c
    WHERE c.state = 'expired' AND NOT EXISTS (SELECT FROM attempts t WHERE t.call_id = c.id)
        AND NOT EXISTS (SELECT FROM decisions d WHERE d.call_id = c.id)
    UNION ALL
    SELECT 'the slot of ' || right(number, 4) || ' is never given back' FROM live
    UNION ALL
    SELECT 'call ' || c.id || ' was reached and is ' || c.state FROM calls c
    WHERE c.state NOT IN ('completed', 'cancelled') AND EXISTS (
        SELECT FROM attempts t WHERE t.call_id = c.id AND t.outcome = 'answered')
        AND NOT EXISTS (SELECT FROM attempts t JOIN alarms a ON a.attempt_id = t.id WHERE t.call_id = c.id)
"""


def judge(world: World, *, calm_at: float) -> None:
    """`calm_at`: when all became well again, virtual seconds. Raises `Broken`."""
    may_expire = _may_expire(world, calm_at)
    wrong = [row.what for row in world.sql.look(_LOST) if not (may_expire and " expired, " in row.what)]
    attempts = {row.id: row for row in world.sql.look("SELECT id, provider_call_id FROM attempts")}
    wrong += [
        f"{call.id} was made, and attempt {call.attempt_id} does not know it"
        for call in world.model.calls.values()
        if attempts[call.attempt_id].provider_call_id != call.id
    ]
    wrong += _record(world)
    if wrong:
        raise Broken("at the end: " + "; ".join(wrong))


def _may_expire(world: World, calm_at: float) -> bool:
    """Whether a call may have had no time left, or no line or budget, through nobody's fault."""
    scenario = world.scenario
    limited = any({"line_daily_limit", "dial_budget"} & set(each.columns) for each in scenario.campaigns)
    return limited or scenario.speed is not None or scenario.latest_at - calm_at < TIME_ENOUGH


def _record(world: World) -> list[str]:
    decisions = world.sql.look("SELECT count(*) AS made FROM decisions")[0].made
    database: Any = world.sql
    audit = Audit(database).verify()
    wrong = [problem.message for problem in audit.problems]
    if (audit.sealed, audit.unsealed) != (decisions, 0):
        wrong.append(f"{decisions} decisions, of which {audit.sealed} are sealed")
    return wrong
