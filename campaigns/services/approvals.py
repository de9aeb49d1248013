"""Approvals: a second person's word, without which a campaign of emergency calls does not dial."""

from sqlalchemy import Connection, Engine

from campaigns.compliance.facts import Purpose
from campaigns.services.control import UnknownCampaignError
from campaigns.store import rulings as rows
from campaigns.store.campaigns import campaign_names, record_operation


class ApprovalRefusedError(Exception):
    """This approval does not count. The message says why and what to do."""


def approve_emergency(engine: Engine, name: str, *, reason: str, operator: str) -> bool:
    """Approve the campaign's newest version. Returns whether this operator had not done so before.

    Raises `ApprovalRefusedError`, and `UnknownCampaignError`.
    """
    with engine.begin() as connection:
        version = rows.newest_version(connection, name)
        if version is None:
            raise UnknownCampaignError(name, known=campaign_names(connection))
        _check(version, name, reason=reason, operator=operator)
        added = rows.add_approval(connection, version.id, subject="emergency", reason=reason, operator=operator)
        if added:
            record_operation(connection, operator=operator, action="approve", subject=name, detail=reason)
        return added


def record_identification_reason(connection: Connection, version_id: int, *, reason: str, operator: str) -> None:
    """Why a sales campaign may do without stating its identification: on record with the version."""
    rows.add_approval(connection, version_id, subject="identification", reason=reason, operator=operator)


def _check(version: rows.SubmittedVersion, name: str, *, reason: str, operator: str) -> None:
    if version.purpose != Purpose.EMERGENCY:
        raise ApprovalRefusedError(f"campaign {name} is not of purpose emergency, so it needs no approval")
    if not reason.strip():
        raise ApprovalRefusedError("an approval needs its reason: the danger to health or safety")
    if operator.strip().lower() == version.submitted_by.strip().lower():
        raise ApprovalRefusedError(
            f"{operator} submitted campaign {name}; another person must approve it (RINGFENCE_OPERATOR says who acts)"
        )
