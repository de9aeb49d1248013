"""A reader keeps places and openings of earlier rows; no row is read otherwise for it."""

import json
from datetime import UTC, datetime
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.definition.parse import parse_definition
from campaigns.files.customer_problems import SourceRow
from campaigns.runtime.law import gatekeeper
from campaigns.services.row_reader import RowReader
from campaigns.store.expansion import ExpandingRun

CAMPAIGN = b"""
campaign: spring
purpose: telemarketing
seller: Example Energy, Inc.
account: sim
assistant: {id: assistant-1}
lines: {pool: [line-1]}
customers:
  file: list.csv
  defaultRegion: US
  columns: {number: phone, state: st, zip: zip, timezone: tz}
window: {earliestAt: 2026-12-01T08:00:00-05:00, latestAt: 2026-12-03T20:00:00-05:00}
callingHours: {mon-fri: 09:00-19:00}
"""
NUMBERS = (
    "+12125550123", "+12125550199", "+14235550101", "+14235550102", "+16025550100", "+17875550101", "+16845550123",
    "+18005550123", "+14165550123", "+14165550124", "+442079460123", "+442079460124", "+4930123456", "+12685551234",
)  # fmt: skip
"""One zone and several, a territory, toll-free, Canada, abroad; most twice, for what is kept must fit the second."""
rows = st.lists(
    st.fixed_dictionaries(
        {
            "phone": st.sampled_from(NUMBERS),
            "st": st.sampled_from(["", "NY", "TN", "ca", "XX"]),
            "zip": st.sampled_from(["", "10001", "37402", "90001-1234", "00000"]),
            "tz": st.sampled_from(["", "America/Chicago", "Europe/Berlin"]),
            "note": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
        }
    ),
    min_size=1,
    max_size=30,
)


@cache
def definition():
    return parse_definition(CAMPAIGN, file="spring.yaml")


def reader() -> RowReader:
    window = definition().window
    run = ExpandingRun(
        id=1, campaign_id=1, campaign_state="active", definition={}, customers_path="list.csv", submitted_by="ann",
        simulator=True, earliest_at=window.earliest_at, latest_at=window.latest_at,
        campaign_at=datetime(2026, 12, 1, 12, tzinfo=UTC), source_digest=None, cursor_row=0, rows_read=0,
        rows_rejected=0,
    )  # fmt: skip
    return RowReader(definition(), run, gatekeeper())


@given(rows)
@settings(max_examples=150, deadline=None)
def test_a_row_is_read_the_same_after_other_rows_as_alone(given_rows):
    items = [SourceRow(number, values, "") for number, values in enumerate(given_rows, start=1)]
    together = reader().read(iter(items), most=100)
    assert together is not None
    for item in items:
        alone = reader().read(iter([item]), most=100)
        assert alone is not None
        assert together.entries.get(item.row_number) == alone.entries.get(item.row_number)


@given(rows)
@settings(max_examples=100, deadline=None)
def test_group_and_opening_are_what_the_gate_says_of_the_place(given_rows):
    gate, after = gatekeeper(), definition().window.earliest_at
    read = reader().read((SourceRow(n, values, "") for n, values in enumerate(given_rows, start=1)), most=100)
    assert read is not None
    for candidate in read.candidates:
        row, entry = candidate.row, read.entries[candidate.row_number]
        place = gate.place(row.number, row.evidence, at=after)
        assert entry.group_key == (place.problem or place.group)
        plan = reader()._plan
        opening = gate.opening(row.number, row.evidence, plan, after=after)
        assert entry.due_at == (opening.opens_at.isoformat() if opening else None)
        assert entry.closes_at == (opening.closes_at.isoformat() if opening else None)


@given(rows)
@settings(max_examples=100, deadline=None)
def test_variables_are_written_as_the_standard_encoder_writes_them(given_rows):
    read = reader().read((SourceRow(n, values, "") for n, values in enumerate(given_rows, start=1)), most=100)
    assert read is not None
    for candidate in read.candidates:
        written = read.entries[candidate.row_number].variables
        assert written == json.dumps(dict(candidate.row.variables), ensure_ascii=False)


def test_a_chunk_ends_where_it_is_told_and_the_next_one_goes_on():
    items = iter([SourceRow(n, {"phone": NUMBERS[0]}, "") for n in range(1, 6)])
    ours = reader()
    chunks = [ours.read(items, most=2) for _ in range(4)]
    assert [chunk.last_row if chunk else None for chunk in chunks] == [2, 4, 5, None]
