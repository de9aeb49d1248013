"""Seal: put committed decisions into the hash chain, in the order in which they are seen to be committed.

Writers never wait for each other: they insert decisions unchained. One sealer at a time chains what is there. A
decision whose transaction commits late has a lower id and a later place in the chain; none is passed over.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from campaigns.calls.ledger import Head, chain
from campaigns.files.ledger_heads import ExportedHead, HeadsFile
from campaigns.store import ledger as rows

log = logging.getLogger(__name__)

CHUNK = 2_000
"""Decisions sealed in one transaction: some tenths of a second, and one commit for all of them."""
MOST_CHUNKS = 20
"""Chunks a tick: after a long outage the other ticks of the control queue get their turn in between."""
EXPORT_EVERY = timedelta(minutes=1)


class Seal:
    """The sealer. `heads`: where a copy of the newest head goes once a minute."""

    def __init__(self, engine: Engine, heads: HeadsFile | None = None) -> None:
        self._engine = engine
        self._heads = heads

    def run(self) -> int:
        """Seal what waits; returns how many decisions were sealed. 0 also when another sealer is at it."""
        sealed = 0
        for _ in range(MOST_CHUNKS):
            count, newest = self._seal_chunk()
            sealed += count
            if count < CHUNK:
                self._export(newest)
                return sealed
        log.warning("sealing_behind sealed=%s", sealed)
        return sealed

    def _seal_chunk(self) -> tuple[int, ExportedHead | None]:
        with self._engine.begin() as connection:
            if not rows.become_sealer(connection):
                return 0, None
            return _seal(connection)

    def _export(self, newest: ExportedHead | None) -> None:
        if newest is None or self._heads is None:
            return
        try:
            self._heads.append_if_due(newest, every=EXPORT_EVERY)
        except OSError as error:
            # The chain in the database goes on; what is lost is one more outside witness of it.
            log.error("ledger_head_not_exported cause=%s", type(error).__name__)


def _seal(connection: Connection) -> tuple[int, ExportedHead | None]:
    waiting = rows.unsealed_decisions(connection, most=CHUNK)
    if not waiting:
        return 0, None
    sealed_at = rows.sealing_instant(connection)
    seals = list(chain(rows.head(connection), waiting, sealed_at=sealed_at))
    rows.write_seals(connection, seals, sealed_at=sealed_at)
    newest = seals[-1]
    return len(seals), ExportedHead(Head(newest.seq, newest.link), datetime.fromisoformat(sealed_at))
