"""Dial instants in Postgres: a lost Redis, a restarted worker or a second one cannot burst past a limit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from campaigns.calls.pacing import JITTER, Scope

MOST_READINGS = 5
"""A machine so busy that no reading is quick sends late rather than never: lateness only ever widens the spacing
of one process, and a send that is too late takes a new instant."""
MOST_AHEAD = 2.0
"""Seconds: claims take instants half a second ahead; several processes at once push that a little further."""


@dataclass(frozen=True, slots=True)
class PaceState:
    """The scopes as locked or read, and the database's clock at that moment (seconds since the epoch)."""

    now: float
    read_at: float
    """This process's monotonic clock at `now`."""
    scopes: Mapping[str, Scope]


def read_scopes(
    connection: Connection, spacings: Mapping[str, float], *, lock: bool, clock: Callable[[], float]
) -> PaceState:
    """The scopes named in `spacings` (scope → seconds between dials); a scope never seen is free from now on.

    With `lock` the rows are made where missing and held until the transaction ends, in order of name.
    """
    if lock:
        connection.execute(
            text("""
                INSERT INTO pace (scope, next_at) SELECT unnest(CAST(:scopes AS text[])), clock_timestamp()
                ON CONFLICT DO NOTHING
            """),
            {"scopes": sorted(spacings)},
        )
    rows = connection.execute(
        text(f"""
            SELECT scope, extract(epoch FROM next_at)::double precision AS next_at, gaps FROM pace
            WHERE scope = ANY(:scopes) ORDER BY scope {"FOR UPDATE" if lock else ""}
        """),  # noqa: S608 -- the only piece put in is one of two constants
        {"scopes": sorted(spacings)},
    ).all()
    now, read_at = _both_clocks(connection, clock)
    known = {
        row.scope: _plausible(
            Scope(row.next_at, spacings[row.scope], tuple((first, last) for first, last in row.gaps)), now=now
        )
        for row in rows
    }
    return PaceState(now, read_at, {scope: known.get(scope) or Scope(now, wait) for scope, wait in spacings.items()})


def _both_clocks(connection: Connection, clock: Callable[[], float]) -> tuple[float, float]:
    """The database's clock and ours at one moment; read again if the round trip took too long to call it one."""
    for _ in range(MOST_READINGS):
        before = clock()
        now: float = connection.execute(_NOW).scalar_one()
        after = clock()
        if after - before <= JITTER / 2:
            break
    return now, after


_NOW = text("SELECT extract(epoch FROM clock_timestamp())::double precision")


def _plausible(scope: Scope, *, now: float) -> Scope:
    """The scope as it can be when no clock was set back: instants are taken for the next moments only.

    Without this, a database whose clock steps back by an hour would dial nothing for an hour.
    """
    latest = now + 2 * scope.spacing + MOST_AHEAD
    return Scope(min(scope.next_at, latest), scope.spacing, tuple(gap for gap in scope.gaps if gap[1] <= latest))


def write_scopes(connection: Connection, names: Sequence[str], scopes: Sequence[Scope]) -> None:
    """Keep what `allot` left."""
    connection.execute(
        text("UPDATE pace SET next_at = to_timestamp(:next_at), gaps = CAST(:gaps AS jsonb) WHERE scope = :scope"),
        [
            {"scope": name, "next_at": scope.next_at, "gaps": _json(scope.gaps)}
            for name, scope in zip(names, scopes, strict=True)
        ],
    )


def _json(gaps: Sequence[tuple[float, float]]) -> str:
    return "[" + ",".join(f"[{first!r},{last!r}]" for first, last in gaps) + "]"
