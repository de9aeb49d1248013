"""Explain: everything on record about one number, in the order of time. What an auditor asks for."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from campaigns.compliance.rules import RuleBook
from campaigns.services.rule_views import citation_of
from campaigns.services.status import snapshot
from campaigns.store import explain as rows


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `text` says it in a sentence; `details` are the row, without what is not set."""

    at: datetime
    kind: str
    text: str
    details: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"at": self.at.isoformat(), "kind": self.kind, "text": self.text, **self.details}


def explain_number(engine: Engine, number: str, *, rules: RuleBook) -> tuple[Event, ...]:
    """All events of an E.164 number, the oldest first; events of one instant in the order of `KINDS`."""
    with snapshot(engine) as connection:
        found = [(kind, row) for kind in rows.KINDS for row in rows.events_of(connection, kind, number)]
    events = [_event(kind, row, rules) for kind, row in found]
    return tuple(sorted(events, key=lambda event: (event.at, rows.KINDS.index(event.kind))))


def _event(kind: str, row: dict[str, Any], rules: RuleBook) -> Event:
    details = {name: plain(value) for name, value in row.items() if name != "at" and value not in (None, "", {}, [])}
    if row.get("rule_id"):
        details["citation"] = citation_of(rules, row["rule_id"])
    return Event(row["at"], kind, _sentence(kind, row, details), details)


def _sentence(kind: str, row: dict[str, Any], details: dict[str, Any]) -> str:
    match kind:
        case "consent":
            purpose = row["purpose"] or "every purpose"
            return f"{row['level']} consent to {row['seller']} for {purpose}, from {row['source']}"
        case "revocation":
            held = f"; nothing could leave from {row['returned_at'].isoformat()}" if row["returned_at"] else ""
            return f"consent revoked for {_scope(row)}, by {row['channel']}{held}"
        case "suppressed":
            until = f" until {row['expires_at'].isoformat()}" if row["expires_at"] else ""
            return f"put on the list {row['list_name']} for {_scope(row)}{until}, from {row['source']}"
        case "suppression_removed":
            return f"taken off the list {row['list_name']} by {row['removed_by']}"
        case "reassigned_answer":
            return f"given to another person since {row['asked_since']}? {row['answer']} ({row['source']})"
        case "listed":
            return f"row {row['row_number']} of the list of {row['campaign']}, submitted by {row['submitted_by']}"
        case "repeated_refusals":
            return f"refused {row['times']} more times by {row['rule_id']}"
        case "provider_cancel":
            return f"to be cancelled at the provider: {row['settled_as'] or 'not settled yet'}"
        case _:
            return _sentence_of_call(kind, row, details)


def _sentence_of_call(kind: str, row: dict[str, Any], details: dict[str, Any]) -> str:
    match kind:
        case "decision" if row["verdict"] == "permit":
            return f"permit for {row['campaign']}, in {', '.join(row['zones'])}"
        case "decision":
            because = f"{_detail(row)} [{details['citation']}]" if details.get("citation") else _detail(row)
            until = f"; may be asked again {row['next_allowed_at'].isoformat()}" if row["next_allowed_at"] else ""
            return f"refused for {row['campaign']} by {row['rule_id']}: {because}{until}"
        case "attempt":
            sent = "" if row["requested_at"] else ", no request on record"
            return f"attempt {row['attempt_no']} for {row['campaign']} from {row['line']}{sent}"
        case "attempt_over":
            what = row["outcome"] or row["state"]
            achieved = f", {row['disposition']}" if row["disposition"] else ""
            lasted = f", {row['duration'].total_seconds():g} s" if row["duration"] else ""
            return f"attempt {row['attempt_no']} for {row['campaign']}: {what}{achieved}{lasted}"
        case _:
            return f"call for {row['campaign']} {row['state']}: {row['reason']}"


def _scope(row: dict[str, Any]) -> str:
    return "everything" if row["scope"] == "all" else f"{row['scope']} {row['scope_value']}"


def _detail(row: dict[str, Any]) -> str:
    return next((check["detail"] for check in row["checks"] if check["rule_id"] == row["rule_id"]), "")


def plain(value: Any) -> Any:
    """JSON-able: instants and dates as ISO text, durations in seconds."""
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value
