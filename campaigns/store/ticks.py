"""When a worker last carried out a tick: that ticks are taken, not only that a process lives."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

TICKS = "ticks"
"""Beside the limit groups, which are digests: the two cannot meet."""


def note_tick(connection: Connection) -> None:
    """A worker is carrying out a tick just now."""
    connection.execute(
        text("""
            INSERT INTO consumption (limit_group, consumed_at) VALUES (:ticks, clock_timestamp())
            ON CONFLICT (limit_group) DO UPDATE SET consumed_at = excluded.consumed_at
        """),
        {"ticks": TICKS},
    )


def ticks_missing_since(connection: Connection, *, after: timedelta) -> datetime | None:
    """The last tick, if it is longer ago than `after`; None: they come, or none ever came here."""
    last_at: datetime | None = connection.execute(
        text("""
            SELECT consumed_at FROM consumption
            WHERE limit_group = :ticks AND consumed_at < clock_timestamp() - CAST(:after AS interval)
        """),
        {"ticks": TICKS, "after": after},
    ).scalar_one_or_none()
    return last_at
