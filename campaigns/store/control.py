"""The switches: of one campaign, and of everything."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class LockedCampaign:
    id: int
    state: str


def lock_campaign(connection: Connection, name: str) -> LockedCampaign | None:
    """The campaign's row, locked until the transaction ends; NO KEY, so that attempts can still refer to it."""
    row = connection.execute(
        text("SELECT id, state FROM campaigns WHERE name = :name FOR NO KEY UPDATE"), {"name": name}
    ).one_or_none()
    return None if row is None else LockedCampaign(row.id, row.state)


def set_campaign_state(connection: Connection, campaign_id: int, *, state: str, reason: str | None) -> None:
    """Switch it. A cancelled campaign launches no further run."""
    connection.execute(
        text("""
            UPDATE campaigns SET state = :state, state_reason = :reason,
                next_run_at = CASE WHEN :state <> 'cancelled' THEN next_run_at END
            WHERE id = :id
        """),
        {"id": campaign_id, "state": state, "reason": reason},
    )


def clear_expansion_problems(connection: Connection, campaign_id: int) -> None:
    """Let interrupted expansions be tried again."""
    connection.execute(
        text("UPDATE runs SET state_reason = NULL WHERE campaign_id = :id AND state = 'expanding'"),
        {"id": campaign_id},
    )


def lift_account_pause(connection: Connection, campaign_id: int, *, except_for: str) -> None:
    """Let the campaign's account dial again after its settings were refused; not if the settings say paused."""
    connection.execute(
        text("""
            UPDATE accounts SET paused_reason = NULL, config_errors = 0, config_ends = 0
            WHERE name = (SELECT account FROM campaigns WHERE id = :id) AND paused_reason <> :except_for
        """),
        {"id": campaign_id, "except_for": except_for},
    )


def set_stopped(connection: Connection, *, stopped: bool, operator: str) -> bool:
    """Throw the main switch. Returns whether it was in the other position."""
    result = connection.execute(
        text("""
            UPDATE system SET stopped = :stopped, changed_at = clock_timestamp(), changed_by = :operator
            WHERE stopped <> :stopped
        """),
        {"stopped": stopped, "operator": operator},
    )
    return result.rowcount == 1


def is_stopped(connection: Connection) -> bool:
    """Whether the main switch forbids all dialing."""
    return bool(connection.execute(text("SELECT stopped FROM system")).scalar_one())


_CANCEL = """
    UPDATE calls SET state = 'cancelled', reason = 'campaign_cancelled', final_at = clock_timestamp(),
        due_at = NULL, closes_at = NULL, lease_until = NULL
    WHERE id = ANY(ARRAY(
        SELECT q.id FROM calls q WHERE {waiting} LIMIT :most FOR UPDATE SKIP LOCKED
    ))
"""
_CANCEL_SCHEDULED = text(
    _CANCEL.format(
        waiting="""q.state = 'scheduled' AND q.run_id = ANY(ARRAY(
            SELECT r.id FROM runs r WHERE r.campaign_id = :campaign_id AND r.state IN ('expanding', 'active')))"""
    )
)
_CANCEL_QUEUED = text(_CANCEL.format(waiting="q.state = 'queued' AND q.campaign_id = :campaign_id"))


def cancel_waiting_calls(connection: Connection, campaign_id: int, *, most: int) -> int:
    """Cancel up to `most` calls of each waiting state. Rows that somebody holds right now are left for the next go.

    A queued call's message becomes stale by its state; a call in dialing or later finishes by itself.
    """
    values = {"campaign_id": campaign_id, "most": most}
    scheduled = connection.execute(_CANCEL_SCHEDULED, values).rowcount
    return scheduled + connection.execute(_CANCEL_QUEUED, values).rowcount


def has_waiting_calls(connection: Connection, campaign_id: int) -> bool:
    """Whether any call of an open run still waits to be dialed."""
    return bool(
        connection.execute(
            text("""
                SELECT EXISTS (SELECT FROM runs r JOIN calls q ON q.run_id = r.id AND q.state = 'scheduled'
                        WHERE r.campaign_id = :id AND r.state IN ('expanding', 'active'))
                    OR EXISTS (SELECT FROM calls q WHERE q.campaign_id = :id AND q.state = 'queued')
            """),
            {"id": campaign_id},
        ).scalar_one()
    )
