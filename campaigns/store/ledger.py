"""The ledger's rows: the sealer's queue, the chain, and what verification reads. Every statement is bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

from campaigns.calls.ledger import START, Head, Seal, SealedRow, Unsealed

_SEALER_LOCK = 7_265_616_101
"""Advisory lock of the one sealer; a number that nothing else of ours uses."""

_PAYLOAD = """
    jsonb_build_object('id', d.id, 'call_id', d.call_id, 'attempt_id', d.attempt_id, 'decided_at', d.decided_at,
        'campaign_at', d.campaign_at, 'verdict', d.verdict, 'rule_id', d.rule_id,
        'next_allowed_at', d.next_allowed_at, 'consent_id', d.consent_id, 'zones', d.zones,
        'jurisdictions', d.jurisdictions, 'rules_digest', d.rules_digest, 'tzdata_version', d.tzdata_version,
        'checks', d.checks, 'facts', d.facts)::text
"""
"""The canonical JSON of a decision: Postgres's own text of a `jsonb`, keys in its order, instants in UTC. It is named
column by column, so that a column added later does not change old digests."""


def become_sealer(connection: Connection) -> bool:
    """Take the sealer's place until this transaction ends; False when another has it."""
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _SEALER_LOCK}).scalar_one())


def head(connection: Connection) -> Head:
    """The newest link. Call it in a statement after `become_sealer`, so that the previous sealer's rows are seen."""
    row = connection.execute(text("SELECT seq, link FROM ledger ORDER BY seq DESC LIMIT 1")).one_or_none()
    return START if row is None else Head(row.seq, row.link)


def sealing_instant(connection: Connection) -> str:
    """Now, as the text that goes into the links."""
    value: str = connection.execute(text("SELECT to_jsonb(clock_timestamp()) #>> '{}'")).scalar_one()
    return value


def unsealed_decisions(connection: Connection, *, most: int) -> list[Unsealed]:
    """Committed decisions without a seal, the oldest ids first. One whose row is gone stays for `verify` to name.

    `OFFSET 0` keeps Postgres from joining the two as wholes: it must look up what waits, not walk what is sealed.
    """
    rows = connection.execute(
        text(f"""
            SELECT w.id, w.salt, w.payload FROM unsealed u CROSS JOIN LATERAL (
                SELECT d.id, d.salt, {_PAYLOAD} AS payload FROM decisions d WHERE d.id = u.decision_id OFFSET 0
            ) w ORDER BY u.decision_id LIMIT :most
        """),  # noqa: S608  put together from our own constant
        {"most": most},
    )
    return [Unsealed(row.id, row.salt, row.payload) for row in rows]


def write_seals(connection: Connection, seals: Sequence[Seal], *, sealed_at: str) -> None:
    """Append to the chain, and take the decisions from the queue."""
    ids = [seal.decision_id for seal in seals]
    connection.execute(
        text("""
            INSERT INTO ledger (seq, decision_id, digest, link, sealed_at)
            SELECT n.seq, n.decision_id, n.digest, n.link, CAST(:sealed_at AS timestamptz)
            FROM unnest(CAST(:seqs AS bigint[]), CAST(:ids AS bigint[]), CAST(:digests AS bytea[]),
                CAST(:links AS bytea[])) AS n(seq, decision_id, digest, link)
        """),
        {
            "sealed_at": sealed_at,
            "seqs": [seal.seq for seal in seals],
            "ids": ids,
            "digests": [seal.digest for seal in seals],
            "links": [seal.link for seal in seals],
        },
    )
    connection.execute(text("DELETE FROM unsealed WHERE decision_id = ANY(:ids)"), {"ids": ids})


def sealed_rows(connection: Connection, *, after: int, until: int, most: int) -> list[SealedRow]:
    """The next rows of the chain, with what their decisions say now."""
    rows = connection.execute(
        text(f"""
            SELECT l.seq, l.decision_id, l.digest, l.link, to_jsonb(l.sealed_at) #>> '{{}}' AS sealed_at,
                d.salt, CASE WHEN d.id IS NOT NULL THEN {_PAYLOAD} END AS payload
            FROM (SELECT * FROM ledger WHERE seq > :after AND seq <= :until ORDER BY seq LIMIT :most) l
            LEFT JOIN decisions d ON d.id = l.decision_id ORDER BY l.seq
        """),  # noqa: S608  put together from our own constant
        {"after": after, "until": until, "most": most},
    )
    return [SealedRow(**row._asdict()) for row in rows]


@dataclass(frozen=True, slots=True)
class Tail:
    """Decisions that wait for the sealer."""

    count: int
    oldest_age: timedelta | None


def unsealed_tail(connection: Connection) -> Tail:
    """How many wait, and since when the oldest does."""
    row = connection.execute(
        text("""
            SELECT count(*) AS waiting, clock_timestamp() - min(d.decided_at) AS age
            FROM unsealed u JOIN decisions d ON d.id = u.decision_id
        """)
    ).one()
    return Tail(row.waiting, row.age)


def vanished_before_sealing(connection: Connection, *, most: int) -> list[int]:
    """Ids in the queue whose decision is gone: somebody removed it before it was sealed."""
    rows = connection.execute(
        text("""
            SELECT u.decision_id FROM unsealed u
            WHERE NOT EXISTS (SELECT FROM decisions d WHERE d.id = u.decision_id) ORDER BY 1 LIMIT :most
        """),
        {"most": most},
    )
    return list(rows.scalars())


def newest_decision(connection: Connection) -> int:
    """The highest id of a decision; 0 when there is none."""
    return int(connection.execute(text("SELECT coalesce(max(id), 0) FROM decisions")).scalar_one())


def outside_the_chain(connection: Connection, *, after: int, until: int) -> list[int]:
    """Decisions with `after < id <= until` that are neither sealed nor waiting: their ledger row was removed."""
    rows = connection.execute(
        text("""
            SELECT d.id FROM decisions d WHERE d.id > :after AND d.id <= :until
                AND NOT EXISTS (SELECT FROM ledger l WHERE l.decision_id = d.id)
                AND NOT EXISTS (SELECT FROM unsealed u WHERE u.decision_id = d.id)
            ORDER BY 1
        """),
        {"after": after, "until": until},
    )
    return list(rows.scalars())


def links_at(connection: Connection, seqs: Sequence[int]) -> dict[int, bytes]:
    """seq → link of those rows that are there."""
    rows = connection.execute(text("SELECT seq, link FROM ledger WHERE seq = ANY(:seqs)"), {"seqs": list(seqs)})
    return {row.seq: row.link for row in rows}
