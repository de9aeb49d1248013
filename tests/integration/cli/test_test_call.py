"""`test-call`: a real row's words on a phone of one's own, through the gate, and never on the row's."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.integration.cli.attended import attended

OWN, OTHER = "+12125550150", "+12125550151"
ANN, BEN = "+13105550101", "+13105550102"
NOON, NIGHT = "2026-12-02T12:00:00-05:00", "2026-12-02T03:00:00-05:00"
SETTINGS = """
testNumbers = ["{own}", "{ben}"]
[accounts.sim]
provider = "vapi"
baseUrl = "{url}"
simulator = true
concurrency = 5
callsPerSecond = 100.0
webhooks = false
"""
CAMPAIGN = """
campaign: spring
purpose: telemarketing
seller: Example Energy, Inc.
account: sim
assistant:
  id: a-1
  variables: {firstName: "Dear {name}", plan: "{plan}", where: "{zip} {state}", who: "{externalId}", ring: "{number}"}
  customer: {extension: "{ext}"}
lines: {pool: [pn-1]}
customers:
  file: people.csv
  columns: {number: phone, name: full, zip: zip, state: st, externalId: id, person: who}
consent: {level: pewc, obtainedAt: 2026-09-01T00:00:00Z, source: form}
window: {earliestAt: 2026-12-01T08:00:00-05:00, latestAt: 2026-12-12T20:00:00-05:00}
callingHours: {mon: "10:00-11:00"}
"""
PEOPLE = f"""phone,full,zip,st,id,who,plan,ext
{ANN},Ann Example,90001,CA,row-1,person-1,gold,77
{BEN},Ben Example,90002,CA,row-2,person-2,silver,78
12,No Body,,,,,none,
"""


@pytest.fixture
def own(ringfence: Any, served: Any, tmp_path: Path) -> Any:
    """The command, in a folder with a campaign of three rows."""
    (tmp_path / "ringfence.toml").write_text(SETTINGS.format(url=served.url, own=OWN, ben=BEN))
    (tmp_path / "spring.yaml").write_text(CAMPAIGN)
    (tmp_path / "people.csv").write_text(PEOPLE)
    assert ringfence("migrate")[0] == 0
    served.on_loop(lambda: served.simulator.simulation.change({"speed": 100_000.0, "scripted": {OWN: ["answered"]}}))
    return ringfence


def call(own: Any, *more: str, row: int = 1, to: str = OWN, at: str = NOON) -> tuple[int, dict[str, Any]]:
    options = ["test-call", "spring.yaml", "--row", str(row), "--to", to, "--rehearse-at", at, *more]
    with attended():
        return own(*options)  # type: ignore[no-any-return]


def query(database: Engine, statement: str) -> list[Any]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def created(served: Any) -> list[Any]:
    found: list[Any] = served.on_loop(lambda: served.simulator.simulation.book.all(offset=0, limit=10))
    return found


def test_the_rows_words_are_said_to_the_own_number_and_the_rows_number_is_nowhere(own: Any, served: Any) -> None:
    served.on_loop(lambda: served.simulator.simulation.change({"speed": 0.001}))
    code, answer = own("test-call", "spring.yaml", "--row", "1", "--to", OWN, "--rehearse-at", NOON, "--no-wait")
    assert (code, answer["campaign"].startswith("test-")) == (0, True)
    with attended():
        while not created(served):
            pass  # looking takes a while by itself
    (made,) = created(served)
    assert made.number == OWN
    assert made.request["assistantOverrides"]["variableValues"] == {
        "firstName": "Dear Ann Example",
        "plan": "gold",
        "where": "90001 CA",
        "who": "row-1",
        "ring": OWN,
    }
    assert ANN not in str(made.request)
    assert "extension" not in made.request["customer"]


def test_it_is_answered_and_marked_as_a_test_in_the_record(own: Any, database: Engine) -> None:
    code, answer = call(own, row=2)
    assert (code, answer["calls"][0]["standing"]) == (0, "answered")
    name = answer["campaign"]
    assert query(database, "SELECT operator, action, subject, detail FROM operations WHERE action = 'test-call'") == [
        ("tester", "test-call", name, "row 2 of spring")
    ]
    ((source, seller),) = query(database, f"SELECT source, seller FROM consents WHERE number = '{OWN}'")
    assert "testNumbers" in source
    assert seller == "Example Energy, Inc."


def test_the_real_persons_caps_and_address_are_not_touched(own: Any, database: Engine) -> None:
    call(own)
    assert query(database, "SELECT number, person, debt FROM attempts") == [(OWN, None, None)]
    assert query(database, "SELECT zip, state, timezone, external_id, person FROM customers") == [(None,) * 5]
    assert query(database, f"SELECT count(*) FROM consents WHERE number = '{ANN}'") == [(0,)]


def test_a_number_that_is_not_on_the_short_list_is_refused_with_how_to_add_it(own: Any, database: Engine) -> None:
    code, answer = call(own, to=OTHER)
    message = answer["errors"][0]["message"]
    assert (code, "testNumbers" in message, OTHER in message) == (3, True, False)
    assert query(database, "SELECT count(*) FROM campaigns") == [(0,)]


def test_a_row_that_is_the_own_number_is_refused_so_that_no_customers_caps_are_spent(own: Any) -> None:
    code, answer = call(own, row=2, to=BEN)
    assert (code, "this very number" in answer["errors"][0]["message"]) == (2, True)


@pytest.mark.parametrize(("row", "says"), [(9, "rows are 1 to 3"), (3, "would be rejected")])
def test_a_row_that_is_not_there_or_not_a_customer_is_told(own: Any, row: int, says: str) -> None:
    code, answer = call(own, row=row)
    assert (code, says in answer["errors"][0]["message"]) == (2, True)


def test_the_hours_of_the_own_numbers_zone_hold(own: Any, served: Any) -> None:
    code, answer = call(own, at=NIGHT)
    assert (code, "America/New_York" in answer["calls"][0]["sentence"]) == (3, True)
    assert served.stats["creates"] == 0


def test_a_suppression_of_the_own_number_holds(own: Any, served: Any) -> None:
    assert own("suppress", "add", OWN)[0] == 0
    code, answer = call(own)
    assert (code, answer["calls"][0]["standing"], served.stats["creates"]) == (3, "refused", 0)


def test_a_revocation_holds_whenever_it_came(own: Any, served: Any, database: Engine) -> None:
    """The consent of a test is as old as the first test, and there is none after a revocation."""
    assert own("consent", "revoke", OWN)[0] == 0
    code, answer = call(own, at="2030-12-04T12:00:00-05:00")
    assert (code, answer["calls"][0]["standing"], served.stats["creates"]) == (3, "refused", 0)
    assert query(database, "SELECT count(*) FROM consents") == [(0,)]


def test_a_second_test_brings_no_younger_consent(own: Any, database: Engine) -> None:
    call(own, at="2030-12-04T12:00:00-05:00")
    call(own, at="2030-12-04T15:00:00-05:00")
    assert query(database, "SELECT count(*) FROM consents") == [(1,)]


def test_a_second_test_within_the_hour_is_held_by_the_gap_between_calls(own: Any, served: Any) -> None:
    call(own)
    code, answer = call(own, at="2026-12-02T12:20:00-05:00")
    assert (code, answer["calls"][0]["rule"], served.stats["creates"]) == (3, "POL-GAP", 1)


def test_stop_all_holds_it(own: Any, served: Any) -> None:
    own("stop", "--all")
    code, answer = call(own)
    assert (code, "ringfence start" in answer["errors"][0]["message"], served.stats["creates"]) == (3, True, 0)


def test_the_settings_take_ten_numbers_and_no_more(own: Any, tmp_path: Path) -> None:
    settings = (tmp_path / "ringfence.toml").read_text()
    many = ", ".join(f'"+121255501{index:02}"' for index in range(11))
    (tmp_path / "ringfence.toml").write_text(settings.replace(f'"{OWN}"', many))
    code, answer = own("status")
    assert (code, "at most 10" in answer["errors"][0]["message"]) == (2, True)
