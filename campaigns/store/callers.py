"""People who call us: what waits for them in campaigns that a call back ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from campaigns.calls.states import CallState


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that is not over, locked."""

    id: int
    state: CallState
    epoch: int


_OPEN = ("scheduled", "queued", "dialing", "in_progress", "fate_unknown")


def lock_open_calls(connection: Connection, numbers: Sequence[str]) -> list[OpenCall]:
    """Lock every open call to these numbers whose campaign ends with a call back, by id."""
    rows = connection.execute(
        text("""
            SELECT q.id, q.state, q.epoch
            FROM calls q JOIN runs n ON n.id = q.run_id JOIN campaign_versions v ON v.id = n.version_id
            WHERE q.number = ANY(:numbers) AND q.state = ANY(:open)
                AND v.definition @> '{"stopWhen": {"inboundCall": true}}'
            ORDER BY q.id FOR UPDATE OF q
        """),
        {"numbers": list(numbers), "open": list(_OPEN)},
    )
    return [OpenCall(**{**row._asdict(), "state": CallState(row.state)}) for row in rows]


def stop_after_this(connection: Connection, call_ids: Sequence[int], *, reason: str) -> None:
    """Let these calls, which are being dialed or talk, make no further attempt."""
    if call_ids:
        connection.execute(
            text("UPDATE calls SET stop_reason = coalesce(stop_reason, :reason) WHERE id = ANY(:ids)"),
            {"ids": list(call_ids), "reason": reason},
        )
