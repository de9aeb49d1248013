"""What is kept of conversations: stored for a time, shown by role with a record of each look, deleted by age."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine

from campaigns.providers.contract import Artifacts
from campaigns.services.roles import Role
from campaigns.store import artifacts as rows
from campaigns.store.campaigns import record_operation

log = logging.getLogger(__name__)

CHUNK = 500
"""Rows a transaction: short locks; a transcript may have a megabyte."""
MOST_CHUNKS = 40
"""Chunks a pass: twenty thousand rows a minute are some 28 million a day; the next pass goes on."""

LOOK = "conversation shown"
"""The `operations` action of a look at what was said."""

SHOWN_TO: Mapping[Role, frozenset[str]] = {
    Role.VIEWER: frozenset(),
    Role.OPERATOR: frozenset({"summary", "cost_breakdown"}),
    Role.COMPLIANCE: frozenset({"transcript", "summary", "recording_url", "cost_breakdown"}),
}
"""What each role sees."""
FIELDS = ("transcript", "summary", "recording_url", "cost_breakdown")
WORDS = frozenset({"transcript", "summary", "recording_url"})
"""What was said: to see any of it is a look, which goes on record. What it cost is not."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a role sees of one attempt's conversation. `masked` names what is kept and not shown."""

    attempt_id: UUID
    transcript: str | None
    summary: str | None
    recording_url: str | None
    cost_breakdown: Mapping[str, float]
    delete_after: datetime
    masked: tuple[str, ...]


def joined_artifacts(earlier: Artifacts, news: Artifacts) -> Artifacts:
    """The news over what came before."""
    return Artifacts(
        transcript=news.transcript or earlier.transcript,
        summary=news.summary or earlier.summary,
        recording_url=news.recording_url or earlier.recording_url,
        cost_breakdown={**earlier.cost_breakdown, **news.cost_breakdown},
    )


def keep_said(connection: Connection, said: Mapping[UUID, Artifacts], *, keep: timedelta) -> None:
    """Store what was said in these attempts, inside the caller's transaction."""
    news = [
        rows.NewArtifacts(
            attempt_id=attempt_id,
            transcript=each.transcript,
            summary=each.summary,
            recording_url=each.recording_url,
            cost_breakdown=dict(each.cost_breakdown),
        )
        for attempt_id, each in said.items()
        if not each.is_empty
    ]
    rows.keep_artifacts(connection, news, keep=keep)


def look_at(engine: Engine, attempt_ids: Sequence[UUID], *, role: Role, operator: str) -> dict[UUID, Conversation]:
    """What this role sees of these attempts; a look at what was said is committed to the record before it returns.

    Attempts of which nothing is kept are missing.
    """
    with engine.begin() as connection:
        seen = {
            attempt_id: as_seen_by(role, stored)
            for attempt_id, stored in rows.artifacts_of(connection, attempt_ids).items()
        }
        for conversation in seen.values():
            if shown := [field for field in FIELDS if field in WORDS and getattr(conversation, field)]:
                detail = f"{', '.join(shown)}; role {role}"
                record_operation(
                    connection, operator=operator, action=LOOK, subject=str(conversation.attempt_id), detail=detail
                )
    return seen


def as_seen_by(role: Role, stored: rows.StoredArtifacts) -> Conversation:
    """The row with everything taken out that this role does not see."""
    shown = SHOWN_TO[role]
    return Conversation(
        attempt_id=stored.attempt_id,
        transcript=stored.transcript if "transcript" in shown else None,
        summary=stored.summary if "summary" in shown else None,
        recording_url=stored.recording_url if "recording_url" in shown else None,
        cost_breakdown=stored.cost_breakdown if "cost_breakdown" in shown else {},
        delete_after=stored.delete_after,
        masked=tuple(field for field in FIELDS if field not in shown and getattr(stored, field)),
    )


def forget_conversations(engine: Engine, number: str, *, operator: str) -> int:
    """Delete what is kept of this number's conversations; returns of how many attempts. The record names no number."""
    with engine.begin() as connection:
        forgotten = rows.forget_artifacts(connection, number)
        record_operation(
            connection, operator=operator, action="forget conversations", subject=f"{forgotten} attempts of one number"
        )
    return forgotten


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows a pass deleted."""

    conversations: int = 0
    receipts: int = 0


class Purge:
    """Deletes what has been kept for long enough, chunk by chunk; two at once do no harm."""

    def __init__(self, engine: Engine, *, conversations: timedelta, receipts: timedelta) -> None:
        self._engine = engine
        self._conversations = conversations
        self._receipts = receipts

    def run(self) -> Purged:
        """One pass; what it leaves the next one finds."""
        if not self._conversations:
            self._strip()
        purged = Purged(
            conversations=self._delete(
                lambda connection: rows.delete_due_artifacts(connection, keep=self._conversations, most=CHUNK)
            ),
            receipts=self._delete(
                lambda connection: rows.delete_old_receipts(connection, keep=self._receipts, most=CHUNK)
            ),
        )
        if purged != Purged():
            log.info("purged conversations=%d receipts=%d", purged.conversations, purged.receipts)
        return purged

    def _strip(self) -> None:
        self._delete(lambda connection: rows.strip_waiting_artifacts(connection, most=CHUNK))

    def _delete(self, chunk: Callable[[Connection], int]) -> int:
        deleted = 0
        for _ in range(MOST_CHUNKS):
            with self._engine.begin() as connection:
                count = chunk(connection)
            deleted += count
            if count < CHUNK:
                break
        return deleted
