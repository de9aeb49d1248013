"""What caps, exemptions and relationships need comes from the list unchanged, also over the border of a chunk."""

from datetime import UTC, datetime
from typing import Any

COLUMNS = {
    "number": "phone",
    "person": "person",
    "debt": "debt",
    "lineType": "line",
    "exemption": "exempt",
    "ebrTransactionAt": "bought",
    "ebrInquiryAt": "asked",
}
HEADER = "phone,person,debt,line,exempt,bought,asked"
FULL = "+12125550101,p-1,d-1,landline,residential_hipaa,2026-03-01T00:00:00Z,2026-10-01T00:00:00-04:00"
CUSTOMERS = "SELECT number, person, debt, line_type, exemption, ebr_transaction_at, ebr_inquiry_at FROM customers"


def source() -> dict[str, Any]:
    return {"file": "list.csv", "columns": COLUMNS}


def test_every_column_reaches_the_customer(world: Any) -> None:
    world.launched(FULL, "+12125550102,,,,,,", header=HEADER, customers=source())
    bought, asked = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 10, 1, 4, tzinfo=UTC)
    assert world.query(CUSTOMERS + " ORDER BY number") == [
        ("+12125550101", "p-1", "d-1", "landline", "residential_hipaa", bought, asked),
        ("+12125550102", None, None, "unknown", None, None, None),
    ]


def test_of_two_rows_the_one_without_exemption_or_dealings_stays_whichever_chunk_it_is_in(world: Any) -> None:
    bare = "+12125550101,p-1,d-1,landline,,2026-03-01T00:00:00Z,2026-10-01T00:00:00-04:00"
    world.launched(FULL, "+12125550102,,,,,,", bare, header=HEADER, customers=source(), chunk_rows=1)
    assert world.query("SELECT exemption FROM customers WHERE number = '+12125550101'") == [None]
    assert world.query("SELECT row_number FROM rejects") == [1]


def test_a_row_that_an_earlier_chunk_wrote_is_weighed_with_all_that_it_said(world: Any) -> None:
    bare = "+12125550101,p-1,d-1,landline,residential_hipaa,,"
    world.launched(bare, "+12125550102,,,,,,", FULL, header=HEADER, customers=source(), chunk_rows=1)
    assert world.query("SELECT ebr_transaction_at FROM customers WHERE number = '+12125550101'") == [None]
    assert world.query("SELECT row_number FROM rejects") == [3]
