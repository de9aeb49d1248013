"""What a decision relied on is sealed with it, and the record cannot be emptied by a plain statement."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from campaigns.compliance.facts import Consent, ConsentLevel
from campaigns.services.on_record import as_recorded

AT = datetime(2026, 9, 1, tzinfo=UTC)
GIVEN = Consent(7, ConsentLevel.PEC, "Example Energy, Inc.", None, AT, "web form 3")


def test_what_a_consent_said_is_part_of_what_is_sealed() -> None:
    """Its id alone would let the row be rewritten, and the permit would seem to rest on a better consent."""
    rewritten = replace(GIVEN, level=ConsentLevel.PEWC, obtained_at=AT - timedelta(days=30), source="signed form")
    assert as_recorded(GIVEN) != as_recorded(rewritten)
    assert as_recorded(GIVEN) == {
        "id": 7,
        "level": "pec",
        "seller": "Example Energy, Inc.",
        "purpose": None,
        "obtained_at": "2026-09-01T00:00:00+00:00",
        "source": "web form 3",
    }


@pytest.mark.parametrize(
    "tables", ["ledger, decisions, unsealed", "consents", "revocations, revocation_returns, provider_cancels"]
)
def test_the_record_cannot_be_emptied_by_an_ordinary_statement(ledger: Any, tables: str) -> None:
    ledger.decide(3)
    ledger.seal.run()
    with pytest.raises(DBAPIError, match="append-only"):
        ledger.sql(f"TRUNCATE {tables}")


def test_a_decision_removed_with_its_place_in_the_queue_is_found_or_named_among_the_limits(ledger: Any) -> None:
    gone = ledger.decide(3)[1]
    ledger.tamper("DELETE FROM decisions WHERE id = :id", id=gone)
    ledger.tamper("DELETE FROM unsealed WHERE decision_id = :id", id=gone)
    ledger.seal.run()
    found = ledger.audit.verify()
    assert not found.intact or "before it was sealed" in found.limits
