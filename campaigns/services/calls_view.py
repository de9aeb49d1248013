"""Looking at single calls: lists and everything about one attempt, masked by role."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Engine

from campaigns.services.artifacts import Conversation, look_at
from campaigns.services.explain import plain
from campaigns.services.roles import Role, masked_number
from campaigns.services.status import snapshot
from campaigns.store import calls_view as rows
from campaigns.store.calls_view import AttemptFilter, ListedAttempt

__all__ = ["AttemptFilter", "CallsView", "ListedAttempt", "ShownCall"]


@dataclass(frozen=True, slots=True)
class ShownCall:
    """Everything about one attempt that this role sees. `permit`: the decision that allowed it."""

    attempt: ListedAttempt
    details: dict[str, Any]
    permit: dict[str, Any] | None
    conversation: Conversation | None

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        shown: dict[str, Any] = plain(
            {
                **asdict(self.attempt),
                **self.details,
                "permit": self.permit,
                "conversation": asdict(self.conversation) if self.conversation else None,
            }
        )
        return shown


class CallsView:
    """For one operator in one role."""

    def __init__(self, engine: Engine, *, role: Role, operator: str) -> None:
        self._engine = engine
        self._role = role
        self._operator = operator

    def listed(self, wanted: AttemptFilter) -> list[ListedAttempt]:
        """Attempts of ours, the newest first."""
        with snapshot(self._engine) as connection:
            found = rows.list_attempts(connection, wanted)
        return [self._masked(attempt) for attempt in found]

    def find(self, wanted: str) -> list[ListedAttempt]:
        """The attempts with this id, ours or the provider's."""
        with snapshot(self._engine) as connection:
            found = rows.find_attempts(connection, wanted)
        return [self._masked(attempt) for attempt in found]

    def show(self, attempt: ListedAttempt) -> ShownCall:
        """All of it; a look at what was said goes on record."""
        with snapshot(self._engine) as connection:
            details = rows.attempt_details(connection, attempt.attempt_id)
            permit = rows.permit_of(connection, call_id=attempt.call_id, attempt_id=attempt.attempt_id)
        said = look_at(self._engine, [attempt.attempt_id], role=self._role, operator=self._operator)
        if not self._role.sees_people:
            details |= {key: None for key in ("name", "external_id")}
        return ShownCall(self._masked(attempt), details, permit, said.get(attempt.attempt_id))

    def owners(self, account: str, provider_call_ids: Sequence[str]) -> dict[str, str]:
        """The provider's calls that are attempts of ours, by their ids."""
        with snapshot(self._engine) as connection:
            owned = rows.owners_of(connection, account=account, provider_call_ids=provider_call_ids)
        return {call_id: str(attempt_id) for call_id, attempt_id in owned.items()}

    def _masked(self, attempt: ListedAttempt) -> ListedAttempt:
        if self._role.sees_people or attempt.number.startswith("…"):
            return attempt
        return replace(attempt, number=masked_number(attempt.number))
