"""Apart: a fact that cannot be recorded holds up none of those that came with it.

What lies in the fact itself (its campaign cannot be read, Postgres cannot hold its words) is logged, and looked at
again when its row comes up again. What lies in the state of the database is raised: it passes.
"""

import logging
from collections.abc import Callable, Sequence

from campaigns.services.passing import passes
from campaigns.services.record import Fact, Recorded

log = logging.getLogger(__name__)

Record = Callable[[Sequence[Fact]], Recorded]
"""Records facts in a transaction that it opens and commits itself."""


def record_apart(facts: Sequence[Fact], record: Record) -> list[Recorded]:
    """Record all together; if that fails, each by itself, without those at fault."""
    try:
        return [record(facts)]
    except Exception as error:
        if passes(error):
            raise
        if len(facts) > 1:
            return [recorded for fact in facts for recorded in record_apart([fact], record)]
        log.exception("fact_not_recorded attempt_id=%s", facts[0].attempt_id)
        return []
