"""An intruder with every right in the database: what the audit sees, and what it says it cannot see."""

import pytest
from sqlalchemy.exc import DBAPIError

from campaigns.calls.ledger import START, Unsealed, chain

CHANGES = {
    "call_id": "call_id + 1",
    "attempt_id": "'6f1c2a90-4f7e-4c55-9d0e-0a1b2c3d4e5f'",
    "decided_at": "decided_at + interval '1 microsecond'",
    "campaign_at": "'infinity'",
    "rule_id": "'HOURS-UT'",
    "next_allowed_at": "NULL",
    "consent_id": "1",
    "zones": "ARRAY['America/Chicago']",
    "jurisdictions": "ARRAY['US']",
    "rules_digest": "rules_digest || ' '",
    "tzdata_version": "'2026.7'",
    "checks": "jsonb_set(checks, '{0,detail}', '\"Closed\"')",
    "facts": 'facts || \'{"line_type": "landline"}\'',
    "salt": "set_byte(salt, 31, 255 - get_byte(salt, 31))",
}


@pytest.fixture
def sealed(ledger):
    ledger.decide(5)
    assert ledger.seal.run() == 5
    return ledger


def test_what_nobody_touched_is_intact(sealed):
    found = sealed.verify()

    assert (found.intact, found.sealed, found.unsealed, found.head.seq) == (True, 5, 0, 5)
    assert "cut off" in found.limits


def test_every_column_of_a_decision_is_tried_here(sealed):
    columns = sealed.one(
        "SELECT array_agg(column_name::text) FROM information_schema.columns WHERE table_name = 'decisions'"
    )

    assert set(columns) - {"id", "verdict"} == set(CHANGES), "a test of its own has verdict; Postgres itself guards id"


@pytest.mark.parametrize("column", CHANGES)
def test_one_altered_byte_in_any_column_of_a_decision_is_found(sealed, column):
    place = 4 if column == "attempt_id" else 3
    sealed.tamper(f"UPDATE decisions SET {column} = {CHANGES[column]} WHERE id = {place}")

    assert sealed.found() == [("decision_altered", place)]


def test_a_refusal_turned_into_a_permit_is_found(sealed):
    attempt = CHANGES["attempt_id"]
    sealed.tamper(f"UPDATE decisions SET verdict = 'permit', rule_id = NULL, attempt_id = {attempt} WHERE id = 3")

    assert sealed.found() == [("decision_altered", 3)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("digest = set_byte(digest, 0, 255 - get_byte(digest, 0))", [("link_broken", 3), ("decision_altered", 3)]),
        ("link = set_byte(link, 0, 255 - get_byte(link, 0))", [("link_broken", 3), ("link_broken", 4)]),
        ("sealed_at = sealed_at + interval '1 microsecond'", [("link_broken", 3)]),
        ("sealed_at = 'infinity'", [("link_broken", 3)]),
        ("seq = 6", [("rows_missing", 4), ("link_broken", 6)]),
        ("decision_id = 1000", [("decision_missing", 3), ("ledger_row_removed", None)]),
    ],
)
def test_one_altered_byte_in_any_column_of_a_ledger_row_is_found(sealed, change, expected):
    sealed.tamper(f"UPDATE ledger SET {change} WHERE seq = 3")

    assert sealed.found() == expected


@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_deleted_ledger_row_is_found_first_middle_and_last(sealed, seq):
    sealed.tamper(f"DELETE FROM ledger WHERE seq = {seq}")

    assert ("ledger_row_removed", None) in sealed.found()


@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_deleted_decision_is_found_first_middle_and_last(sealed, seq):
    sealed.tamper(f"DELETE FROM decisions WHERE id = {seq}")

    assert sealed.found() == [("decision_missing", seq)]


@pytest.mark.parametrize("seq", [1, 3])
def test_a_decision_deleted_together_with_its_ledger_row_leaves_a_gap(sealed, seq):
    sealed.tamper(f"DELETE FROM ledger WHERE seq = {seq}")
    sealed.tamper(f"DELETE FROM decisions WHERE id = {seq}")

    assert sealed.found() == [("rows_missing", seq + 1)]


def test_two_rows_that_changed_places_are_found(sealed):
    sealed.tamper("UPDATE ledger SET seq = 100 WHERE seq = 2")
    sealed.tamper("UPDATE ledger SET seq = 2 WHERE seq = 3")
    sealed.tamper("UPDATE ledger SET seq = 3 WHERE seq = 100")

    assert {seq for _, seq in sealed.found()} == {2, 3, 4}


def test_two_decisions_that_changed_places_are_found(sealed):
    for before, after in ((2, 100), (3, 2), (100, 3)):
        sealed.tamper(f"UPDATE ledger SET decision_id = {after} WHERE decision_id = {before}")

    assert sealed.found() == [("decision_altered", 2), ("decision_altered", 3)]


def test_a_decision_forged_past_the_sealer_is_found(sealed):
    sealed.tamper(
        "INSERT INTO decisions OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(d, '{\"id\": 77}')).* "
        "FROM decisions d WHERE id = 1"
    )

    assert sealed.found() == [("ledger_row_removed", None)]


def test_a_row_forged_into_the_chain_is_found(sealed):
    sealed.tamper(
        "INSERT INTO ledger (seq, decision_id, digest, link) SELECT 6, 77, digest, link FROM ledger WHERE seq = 5"
    )

    assert sealed.found() == [("link_broken", 6), ("decision_missing", 6)]


def test_a_decision_removed_before_its_seal_is_found(sealed):
    (decision_id,) = sealed.decide()
    sealed.tamper(f"DELETE FROM decisions WHERE id = {decision_id}")
    sealed.seal.run()

    assert [each.kind for each in sealed.verify().problems] == ["removed_before_sealing"]


def test_a_cut_off_end_shows_only_against_a_head_exported_earlier(sealed):
    head = sealed.audit.head()
    assert head is not None
    sealed.tamper("DELETE FROM ledger WHERE seq > 3")
    sealed.tamper("DELETE FROM decisions WHERE id > 3")

    assert sealed.verify().intact, "this is what the limits speak of"
    assert [each.kind for each in sealed.audit.verify([head]).problems] == ["truncated"]


def test_a_chain_rewritten_as_a_whole_shows_only_against_a_head_exported_earlier(sealed):
    head = sealed.audit.head()
    assert head is not None
    sealed.tamper("UPDATE decisions SET rule_id = 'HOURS-UT' WHERE id = 3")
    _rewrite(sealed)

    assert sealed.verify().intact, "this is what the limits speak of"
    assert [each.kind for each in sealed.audit.verify([head]).problems] == ["rewritten"]


def test_a_head_exported_earlier_stays_good_while_the_chain_grows(sealed):
    head = sealed.audit.head()
    assert head is not None
    sealed.decide(3)
    sealed.seal.run()

    found = sealed.audit.verify([head])
    assert (found.intact, found.anchors, found.head.seq) == (True, 1, 8)


@pytest.mark.parametrize("table", ["decisions", "ledger"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET salt = salt", "UPDATE {} SET seq = seq"])
def test_ordinary_statements_cannot_change_the_record(sealed, table, statement):
    with pytest.raises(DBAPIError), sealed.database.begin() as connection:
        connection.exec_driver_sql(statement.format(table))


def _rewrite(ledger):
    """Recompute the whole chain, as the sealer would."""
    from campaigns.store import ledger as rows

    with ledger.database.begin() as connection:
        found = rows.sealed_rows(connection, after=0, until=100, most=100)
    decisions = [Unsealed(row.decision_id, row.salt or b"", row.payload or "") for row in found]
    for seal in chain(START, decisions, sealed_at=found[0].sealed_at):
        ledger.tamper(
            "UPDATE ledger SET digest = :digest, link = :link WHERE seq = :seq",
            digest=seal.digest,
            link=seal.link,
            seq=seal.seq,
        )
