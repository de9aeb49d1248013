"""Dial instants in Postgres: a lost Redis, a restarted worker or a second one cannot burst past a limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from campaigns.calls.pacing import Scope
from campaigns.store.engine import BRIEFLY

ACCOUNT = "account:"
"""Before the limit group, in the name of an account's scope."""


@dataclass(frozen=True, slots=True)
class StoredScope:
    """A scope as it was left: seconds since the epoch on the database's clock."""

    next_at: float
    gaps: tuple[tuple[float, float], ...]

    def spaced(self, spacing: float) -> Scope:
        """With the seconds between dials that are asked for now."""
        return Scope(self.next_at, spacing, self.gaps)


_COLUMNS = "SELECT scope, extract(epoch FROM next_at)::double precision AS next_at, gaps"
_LOOK = f"{_COLUMNS} FROM pace WHERE scope = ANY(:scopes) ORDER BY scope"
_LOCK = f"{_COLUMNS} FROM {BRIEFLY}, pace WHERE scope = ANY(:scopes) ORDER BY scope FOR UPDATE OF pace"


def lock_scopes(connection: Connection, names: Sequence[str]) -> dict[str, StoredScope]:
    """The scopes, made where missing and held until the transaction ends, in order of name.

    A process that is frozen meanwhile holds them for a second, not for as long as it is frozen.
    """
    wanted = {"scopes": sorted(names)}
    stored = _stored(connection, _LOCK, wanted)
    if len(stored) == len(wanted["scopes"]):
        return stored
    connection.execute(
        text("""
            INSERT INTO pace (scope, next_at) SELECT unnest(CAST(:scopes AS text[])), clock_timestamp()
            ON CONFLICT DO NOTHING
        """),
        wanted,
    )
    return _stored(connection, _LOCK, wanted)


def look_at_scopes(connection: Connection, names: Sequence[str]) -> dict[str, StoredScope]:
    """The scopes as they are this moment, for a forecast; those never used are left out."""
    return _stored(connection, _LOOK, {"scopes": list(names)})


def _stored(connection: Connection, statement: str, wanted: Mapping[str, Sequence[str]]) -> dict[str, StoredScope]:
    rows = connection.execute(text(statement), wanted)
    return {row.scope: StoredScope(row.next_at, tuple((first, last) for first, last in row.gaps)) for row in rows}


def account_rates(connection: Connection, names: Sequence[str]) -> dict[str, float]:
    """Calls per second of the scopes that are accounts'. Read after the lock, so that a lowered limit holds."""
    rows = connection.execute(
        text("""
            SELECT CAST(:account AS text) || limit_group AS scope, min(calls_per_second) * min(rate_share) AS rate
            FROM accounts WHERE limit_group = ANY(:groups) GROUP BY limit_group
        """),
        {"account": ACCOUNT, "groups": [name.removeprefix(ACCOUNT) for name in names if name.startswith(ACCOUNT)]},
    )
    return {row.scope: row.rate for row in rows}


def now(connection: Connection) -> float:
    """The database's clock, in seconds since the epoch. Nothing else, so that it is quick."""
    shown: float = connection.execute(_NOW).scalar_one()
    return shown


_NOW = text("SELECT extract(epoch FROM clock_timestamp())::double precision")


def write_scopes(connection: Connection, scopes: Mapping[str, Scope]) -> None:
    """Keep what was left of them."""
    connection.execute(
        text("""
            UPDATE pace SET next_at = to_timestamp(s.next_at), gaps = CAST(s.gaps AS jsonb)
            FROM unnest(CAST(:names AS text[]), CAST(:nexts AS double precision[]), CAST(:gaps AS text[]))
                AS s(scope, next_at, gaps) WHERE pace.scope = s.scope
        """),
        {
            "names": list(scopes),
            "nexts": [scope.next_at for scope in scopes.values()],
            "gaps": [_json(scope.gaps) for scope in scopes.values()],
        },
    )


def _json(gaps: Sequence[tuple[float, float]]) -> str:
    return "[" + ",".join(f"[{first!r},{last!r}]" for first, last in gaps) + "]"
