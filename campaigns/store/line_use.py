"""How much each line has dialed lately, and who may count on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

_LOCK_SEED = 0x52_46_4C_4E
"""Sets the keys of lines ("RFLN") apart from other advisory locks."""


@dataclass(frozen=True, slots=True)
class LineUse:
    """Counted attempts of one line, plus calls that are queued for it."""

    day: int = 0
    hour: int = 0


def lock_lines(connection: Connection, lines: Sequence[str]) -> None:
    """Be the only one who counts and releases on these lines until the transaction ends.

    Two keys of one organisation are two accounts here, each fed under a lock of its own, and they share their lines.
    """
    if lines:
        connection.execute(
            text("""
                SELECT pg_advisory_xact_lock(k.key) FROM (
                    SELECT DISTINCT hashtextextended(l, :seed) AS key FROM unnest(CAST(:lines AS text[])) AS l
                    ORDER BY key
                ) k
            """),
            {"lines": list(lines), "seed": _LOCK_SEED},
        )


def line_use(
    connection: Connection, lines: Sequence[str], *, day_from: datetime, hour_from: datetime
) -> dict[str, LineUse]:
    """Line → its use since two instants of the campaign clock; all of these lines are in the answer."""
    rows = connection.execute(
        text("""
            SELECT line, sum(day) AS day, sum(hour) AS hour FROM (
                SELECT line, count(*) FILTER (WHERE campaign_at >= :day_from) AS day,
                    count(*) FILTER (WHERE campaign_at >= :hour_from) AS hour
                FROM attempts
                WHERE line = ANY(:lines) AND counts AND campaign_at >= least(:day_from, :hour_from) GROUP BY line
                UNION ALL
                SELECT line, count(*), count(*) FROM calls WHERE state = 'queued' AND line = ANY(:lines) GROUP BY line
            ) AS use GROUP BY line
        """),
        {"lines": list(lines), "day_from": day_from, "hour_from": hour_from},
    )
    used = {row.line: LineUse(int(row.day), int(row.hour)) for row in rows}
    return {line: used.get(line, LineUse()) for line in lines}
