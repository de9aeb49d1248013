"""Rows put together to documents that Postgres takes."""

import json

import pytest

from campaigns.store import documents as module
from campaigns.store.documents import documents


def test_rows_make_one_document_in_their_order() -> None:
    assert [json.loads(each) for each in documents(['{"n": 1}', '{"n": 2}'])] == [[{"n": 1}, {"n": 2}]]


def test_no_rows_make_no_document() -> None:
    assert list(documents([])) == []


def test_what_is_too_long_for_one_document_makes_several_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CHARACTERS", 10)
    rows = [f'"{"x" * length}"' for length in (3, 3, 30, 1, 1, 9, 9)]
    found = list(documents(rows))
    assert found == [f"[{rows[0]},{rows[1]}]", f"[{rows[2]}]", f"[{rows[3]},{rows[4]}]", f"[{rows[5]}]", f"[{rows[6]}]"]
