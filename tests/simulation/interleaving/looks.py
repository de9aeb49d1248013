"""When each periodic service has something to do next, by the rows: so that healthy time can pass in jumps.

The services decide by themselves what is due; this only spares the ticks that would find nothing.
"""

from collections.abc import Callable
from datetime import datetime

from interleaving.virtual_sql import VirtualSql

_NEXT = """
    WITH clock AS (
        SELECT r.id AS run_id, r.campaign_id, c.state, c.state = 'active' AS active, r.state AS run_state,
            coalesce(c.clock_machine_at, to_timestamp(0)) AS machine_at,
            coalesce(c.clock_campaign_at, to_timestamp(0)) AS campaign_at, c.clock_speed AS speed, r.latest_at
        FROM runs r JOIN campaigns c ON c.id = r.campaign_id
    ), waiting AS (
        SELECT k.machine_at + (q.due_at - k.campaign_at) / k.speed AS due_at,
            k.machine_at + (q.closes_at - k.campaign_at) / k.speed AS closes_at,
            CASE WHEN k.state = 'cancelled' THEN to_timestamp(0)  -- whoever cancelled may not have come to the end
                ELSE k.machine_at + (k.latest_at - k.campaign_at) / k.speed END AS latest_at, k.active
        FROM calls q JOIN clock k ON k.run_id = q.run_id WHERE q.state = 'scheduled' AND k.run_state = 'active'
    )
    SELECT 'feed' AS service, min(due_at) AS at FROM waiting WHERE active
    UNION ALL SELECT 'roll_on', min(closes_at) FROM waiting WHERE active AND closes_at < latest_at
    UNION ALL SELECT 'rescue', min(at) FROM (
        SELECT lease_until AS at FROM calls WHERE state = 'queued'
        UNION ALL SELECT check_at FROM attempts WHERE state = 'dialing'
        UNION ALL SELECT latest_at FROM waiting
        UNION ALL SELECT l.hold_until FROM live l JOIN attempts t ON t.id = l.attempt_id
            WHERE t.state IN ('fate_unknown', 'not_dialed', 'closed')
        UNION ALL SELECT k.machine_at + (k.latest_at - k.campaign_at) / k.speed FROM calls q
            JOIN clock k ON k.run_id = q.run_id WHERE q.state = 'fate_unknown'
        UNION ALL SELECT to_timestamp(0) FROM runs r WHERE r.state = 'active'
            AND NOT EXISTS (SELECT FROM calls q WHERE q.run_id = r.id AND q.final_at IS NULL)
    ) a
    UNION ALL SELECT 'poll', min(check_at) FROM attempts WHERE state IN ('in_progress', 'ended')
    UNION ALL SELECT 'reconcile', min(check_at) FROM attempts WHERE state = 'fate_unknown'
    UNION ALL SELECT 'late_ring', min(greatest(coalesce(ring_look_at, claimed_at),
            coalesce(requested_at, claimed_at) + interval '60 s', claimed_at + interval '60 s'))
        FROM attempts WHERE state = 'in_progress' AND NOT rang AND NOT connected AND late_ring_at IS NULL
    UNION ALL SELECT 'inbox', min(next_try_at) FROM inbox WHERE state IN ('new', 'unmatched')
    UNION ALL SELECT 'ask_back', min(next_try_at) FROM provider_cancels WHERE settled_at IS NULL
    UNION ALL SELECT 'decide', min(check_at) - interval '59 min' FROM attempts WHERE state = 'fate_unknown'
        AND needs_person
    UNION ALL SELECT 'seal', min(to_timestamp(0)) FROM unsealed
"""


_OPEN = """
    UNION ALL SELECT 'open', to_timestamp(0) WHERE EXISTS (SELECT FROM calls WHERE final_at IS NULL)
        OR EXISTS (SELECT FROM attempts WHERE state IN ('dialing', 'in_progress', 'ended')
            OR (state = 'fate_unknown' AND NOT needs_person))
        OR EXISTS (SELECT FROM inbox WHERE state = 'new') OR EXISTS (SELECT FROM unsealed)
        OR EXISTS (SELECT FROM live) OR EXISTS (SELECT FROM runs WHERE state = 'active')
"""


class Looks:
    """Asked anew only after a commit: the answer is made of rows alone, whatever the clock shows."""

    def __init__(self, sql: VirtualSql, commits: Callable[[], int]) -> None:
        self._sql = sql
        self._commits = commits
        self._known: dict[str, datetime] = {}
        self._known_at = -1

    def next(self) -> dict[str, datetime]:
        """Service → the machine's instant at which it has something to do; services without work are left out.

        `open` is among them as long as anything is not settled.
        """
        if self._known_at != self._commits():
            self._known = {row.service: row.at for row in self._sql.look(_NEXT + _OPEN) if row.at is not None}
            self._known_at = self._commits()
        return dict(self._known)
