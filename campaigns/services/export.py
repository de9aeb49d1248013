"""Export: one row for each attempt of each customer's call, as far as the asker's role goes, and on record."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from campaigns.services.artifacts import SHOWN_TO, as_seen_by
from campaigns.services.control import UnknownCampaignError
from campaigns.services.explain import plain
from campaigns.services.roles import Role, masked_number
from campaigns.store.artifacts import artifacts_of
from campaigns.store.campaigns import campaign_names, find_campaign, record_operation
from campaigns.store.export import calls_page, runs_of

COLUMNS = (
    *("campaign", "run", "row", "external_id", "name", "number"),
    *("call_id", "call_state", "call_reason", "attempts", "due_at", "final_at", "last_refusal"),
    *(
        "attempt_no",
        "attempt_id",
        "account",
        "line",
        "attempt_state",
        "outcome",
        "disposition",
        "ended_reason",
        "detail",
    ),
    *("claimed_at", "requested_at", "ended_at", "closed_at", "duration_seconds", "rang", "connected", "answered_by"),
    *("hung_up", "counts", "cost_usd", "provider_call_id", "needs_person", "late_ring_at"),
)
"""Instants in UTC; `due_at` on the campaign's clock. `attempts` counts those that are spent."""
CONVERSATION_COLUMNS = ("transcript", "summary", "recording_url", "cost_breakdown")


class ExportRefusedError(Exception):
    """This role may not have this. The message says what to do."""


class Export:
    """One operator's exports."""

    def __init__(self, engine: Engine, *, role: Role, operator: str) -> None:
        self._engine = engine
        self._role = role
        self._operator = operator

    def masked(self, *, with_conversations: bool) -> tuple[str, ...]:
        """The columns that this role gets masked or empty."""
        people = () if self._role.sees_people else ("name", "number")
        said = tuple(column for column in CONVERSATION_COLUMNS if column not in SHOWN_TO[self._role])
        return people + (said if with_conversations else ())

    def rows(self, name: str, *, with_conversations: bool = False) -> Iterator[dict[str, Any]]:
        """Rows with `COLUMNS`, and `CONVERSATION_COLUMNS` if asked for; read as they are taken, a page at a time.

        The export is on record before the first row. Raises `UnknownCampaignError`, `ExportRefusedError`.
        """
        if with_conversations and not SHOWN_TO[self._role]:
            raise ExportRefusedError(
                f"the role {self._role} sees no conversation; set RINGFENCE_ROLE to operator or compliance, or leave "
                "--with-conversations away"
            )
        with self._engine.begin() as connection:
            campaign = find_campaign(connection, name)
            if campaign is None:
                raise UnknownCampaignError(name, known=campaign_names(connection))
            what = "calls and conversations" if with_conversations else "calls"
            record_operation(
                connection, operator=self._operator, action="export", subject=name, detail=f"{what}; role {self._role}"
            )
            runs = runs_of(connection, campaign.id)
        return self._rows(name, runs, with_conversations=with_conversations)

    def _rows(self, name: str, runs: list[int], *, with_conversations: bool) -> Iterator[dict[str, Any]]:
        for run_id in runs:
            after = ""
            while page := self._page(run_id, after=after, with_conversations=with_conversations):
                after = page[-1]["number"]
                for row in page:
                    yield self._shown(row) | {"campaign": name}

    def _page(self, run_id: int, *, after: str, with_conversations: bool) -> list[dict[str, Any]]:
        with self._engine.begin() as connection:
            page = calls_page(connection, run_id, after=after)
            said = self._said(connection, page) if with_conversations else {}
        return [row | said.get(row["attempt_id"], {}) for row in page]

    def _said(self, connection: Connection, page: list[dict[str, Any]]) -> Mapping[UUID, dict[str, Any]]:
        attempts = [row["attempt_id"] for row in page if row["attempt_id"] is not None]
        return {
            attempt_id: {column: getattr(as_seen_by(self._role, stored), column) for column in CONVERSATION_COLUMNS}
            for attempt_id, stored in artifacts_of(connection, attempts).items()
        }

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        shown = {column: plain(value) for column, value in row.items()}
        shown["duration_seconds"] = shown.pop("duration")
        if not self._role.sees_people:
            shown |= {"name": None, "number": masked_number(row["number"])}
        return shown
