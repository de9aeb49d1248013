"""The chain's arithmetic: what one changed byte, a gap or a wrong order does to it."""

from dataclasses import replace

import pytest

from campaigns.calls.ledger import (
    GENESIS,
    START,
    Fault,
    Head,
    SealedRow,
    Unsealed,
    chain,
    digest_of,
    faults_of,
    link_of,
)

AT = "2026-12-02T17:00:00+00:00"


@pytest.fixture
def rows() -> list[SealedRow]:
    decisions = [Unsealed(id, bytes([id]) * 32, f'{{"id": {id}}}') for id in (4, 2, 9)]
    return [
        SealedRow(seal.seq, seal.decision_id, seal.digest, seal.link, AT, decision.salt, decision.payload)
        for seal, decision in zip(chain(START, decisions, sealed_at=AT), decisions, strict=True)
    ]


def faults(rows: list[SealedRow]) -> list[tuple[int, str]]:
    before, found = START, []
    for row in rows:
        found += [(row.seq, fault.value) for fault in faults_of(row, after=before)]
        before = Head(row.seq, row.link)
    return found


def test_what_was_sealed_and_not_touched_has_no_fault(rows: list[SealedRow]) -> None:
    assert faults(rows) == []
    assert [row.seq for row in rows] == [1, 2, 3]


def test_a_chain_goes_on_from_its_head(rows: list[SealedRow]) -> None:
    more = list(chain(Head(3, rows[-1].link), [Unsealed(10, b"salt", "{}")], sealed_at=AT))

    assert more[0].seq == 4
    assert more[0].link == link_of(rows[-1].link, seq=4, digest=digest_of("{}", salt=b"salt"), sealed_at=AT)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"payload": '{"id": 3}'}, [(2, Fault.DECISION_ALTERED)]),
        ({"salt": b"\0" * 32}, [(2, Fault.DECISION_ALTERED)]),
        ({"payload": None, "salt": None}, [(2, Fault.DECISION_MISSING)]),
        ({"digest": GENESIS}, [(2, Fault.LINK_BROKEN), (2, Fault.DECISION_ALTERED)]),
        ({"link": GENESIS}, [(2, Fault.LINK_BROKEN), (3, Fault.LINK_BROKEN)]),
        ({"sealed_at": AT.replace("17", "18")}, [(2, Fault.LINK_BROKEN)]),
    ],
)
def test_every_part_of_a_row_is_held_by_the_chain(
    rows: list[SealedRow], change: dict[str, object], expected: list[tuple[int, str]]
) -> None:
    rows[1] = replace(rows[1], **change)  # type: ignore[arg-type]  # parts of several types, each checked by its case

    assert faults(rows) == expected


@pytest.mark.parametrize(("gone", "expected"), [(0, [(2, Fault.ROWS_MISSING)]), (1, [(3, Fault.ROWS_MISSING)])])
def test_a_missing_row_is_named_by_the_one_after_it(
    rows: list[SealedRow], gone: int, expected: list[tuple[int, str]]
) -> None:
    del rows[gone]

    assert faults(rows) == expected


def test_two_rows_that_changed_places_are_found(rows: list[SealedRow]) -> None:
    first, second = rows[0], rows[1]
    rows[0], rows[1] = replace(second, seq=1), replace(first, seq=2)

    assert {seq for seq, _ in faults(rows)} == {1, 2, 3}


def test_the_salt_decides_the_digest_so_that_contents_cannot_be_guessed() -> None:
    assert digest_of("{}", salt=b"a") != digest_of("{}", salt=b"b")
