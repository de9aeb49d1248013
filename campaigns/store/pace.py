"""Dial instants in Postgres: a lost Redis, a restarted worker or a second one cannot burst past a limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from campaigns.calls.pacing import Scope


@dataclass(frozen=True, slots=True)
class PaceState:
    """The scopes as locked or read, and the database's clock at that moment (seconds since the epoch)."""

    now: float
    scopes: Mapping[str, Scope]


def read_scopes(connection: Connection, spacings: Mapping[str, float], *, lock: bool) -> PaceState:
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
    now = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())::double precision")).scalar_one()
    known = {
        row.scope: Scope(row.next_at, spacings[row.scope], tuple((first, last) for first, last in row.gaps))
        for row in rows
    }
    return PaceState(now, {scope: known.get(scope) or Scope(now, wait) for scope, wait in spacings.items()})


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
