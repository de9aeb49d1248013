"""One number twice in a list: the kept row does not depend on the order in which rows are met."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from campaigns.compliance.facts import Consent, ConsentLevel, PlaceEvidence
from campaigns.customers.row import CustomerRow, more_restrictive

consents = st.one_of(
    st.none(),
    st.builds(
        Consent,
        id=st.none(),
        level=st.sampled_from(ConsentLevel),
        seller=st.sampled_from(["A", "B"]),
        purpose=st.none(),
        obtained_at=st.integers(0, 2).map(lambda days: datetime(2026, 9, 1, tzinfo=UTC) + timedelta(days=days)),
        source=st.sampled_from(["form", "call"]),
    ),
)
rows = st.builds(
    CustomerRow,
    number=st.just("+12125550123"),
    name=st.sampled_from([None, "Ada", "Bo"]),
    evidence=st.builds(
        PlaceEvidence, state=st.sampled_from([None, "NY", "TX"]), timezone=st.sampled_from([None, "America/Chicago"])
    ),
    line_type=st.sampled_from(["unknown", "mobile", "landline"]),
    consent=consents,
    variables=st.dictionaries(st.sampled_from(["plan", "note"]), st.sampled_from(["", "x"]), max_size=2),
)


@given(rows, rows)
def test_the_order_of_two_rows_does_not_matter(first: CustomerRow, second: CustomerRow) -> None:
    assert more_restrictive(first, second) == more_restrictive(second, first)


@given(rows, rows, rows)
def test_the_grouping_of_three_rows_does_not_matter(one: CustomerRow, two: CustomerRow, three: CustomerRow) -> None:
    left = more_restrictive(more_restrictive(one, two), three)
    assert left == more_restrictive(one, more_restrictive(two, three))


@given(rows, rows)
def test_the_kept_row_is_one_of_the_two_and_allows_no_more_than_either(first: CustomerRow, second: CustomerRow) -> None:
    kept = more_restrictive(first, second)
    assert kept in (first, second)
    assert kept.restriction == min(first.restriction, second.restriction)
