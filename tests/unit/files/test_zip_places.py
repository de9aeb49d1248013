from datetime import UTC, datetime
from pathlib import Path

import pytest

import config
from campaigns.compliance.facts import PlaceEvidence
from campaigns.compliance.places import ZipPlace
from campaigns.compliance.zones import same_rules
from campaigns.customers.row import STATES
from campaigns.files.area_codes import load_area_codes
from campaigns.files.rule_files import load_rules
from campaigns.files.zip_places import PACKAGE, ZipPlaces, ZipTableError, load_zip_places
from campaigns.runtime.law import gatekeeper
from campaigns.services.gatekeeper import GateKeeper, ZipLookup

DATA = Path(config.__file__).parent
PREFIXES = DATA / "zip_prefixes.csv"
NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def places() -> ZipPlaces:
    loaded = load_zip_places(PREFIXES)
    assert loaded is not None, "the extra zip belongs to the extra dev"
    return loaded


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("10001", ZipPlace("NY", "America/New_York")),
        (" 10001-1234 ", ZipPlace("NY", "America/New_York")),
        ("100011234", ZipPlace("NY", "America/New_York")),
        ("37402", ZipPlace("TN", "America/New_York")),
        ("06390", ZipPlace("NY", "America/New_York")),
        ("86515", ZipPlace("AZ", "America/Denver")),
        ("85001", ZipPlace("AZ", "America/Phoenix")),
        ("96799", ZipPlace("AS", "Pacific/Pago_Pago")),
        ("96950", ZipPlace("MP", "Pacific/Saipan")),
        ("00000", None),
        ("K1A 0B1", None),
        ("1000", None),
        ("", None),
    ],
)
def test_a_zip_tells_state_and_zone(places: ZipPlaces, written: str, place: ZipPlace | None) -> None:
    assert places(written) == place


def test_every_state_has_its_prefixes_and_no_prefix_two_states(places: ZipPlaces) -> None:
    assert set(places.states.values()) == set(STATES)
    rows = [line.split(",") for line in PREFIXES.read_text().splitlines() if line[0].isdigit()]
    assert len(places.states) == sum(int(last) - int(first) + 1 for first, last, _ in rows)


def test_every_zip_lies_in_a_zone_that_its_state_knows(places: ZipPlaces) -> None:
    """Two tables made apart: a slip in the prefixes would put thousands of ZIPs into foreign zones."""
    keeper = gatekeeper()
    odd = set()
    for number in places.zones:
        written = f"{number:05}"
        found = places(written)
        assert found is not None
        law = keeper.rules.state(found.state) if found.state else None
        if law is not None and not _same_clock(found.timezone, law.zones):
            odd.add(written)
    assert odd == {"96898"}, "Wake Island, served from Hawaii"


def _same_clock(name: str, zones: tuple[str, ...]) -> bool:
    return any(same_rules(name, zone, year=2027) for zone in zones)


def keeper(zips: ZipLookup | None) -> GateKeeper:
    return GateKeeper(load_rules(DATA / "rules"), load_area_codes(DATA / "area_codes.csv"), "digest", "2026.6", zips)


def test_a_zip_narrows_the_zones_of_an_area_code_when_it_agrees(places: ZipPlaces) -> None:
    chattanooga = PlaceEvidence(zip="37402")
    place = keeper(places).place("+14235550101", chattanooga, at=NOW)
    assert (place.zones, place.jurisdictions) == (("America/New_York",), ("US", "US-TN"))
    alone = keeper(None).place("+14235550101", chattanooga, at=NOW)
    assert alone.zones == ("America/New_York", "America/Chicago")


def test_a_zip_elsewhere_adds_its_zone_and_its_law(places: ZipPlaces) -> None:
    place = keeper(places).place("+12125550101", PlaceEvidence(zip="90001"), at=NOW)
    assert place.zones == ("America/New_York", "America/Los_Angeles")
    assert place.jurisdictions == ("US", "US-NY", "US-CA")


def test_an_unknown_zip_tells_nothing_and_a_zone_given_with_it_stays(places: ZipPlaces) -> None:
    unknown, given = PlaceEvidence(zip="00000"), PlaceEvidence(zip="90001", zip_timezone="America/Denver")
    assert keeper(places).located(unknown) is unknown
    assert keeper(places).located(given) is given


def test_without_the_extra_there_is_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.files.zip_places.PACKAGE", "a-package-that-nobody-has")
    assert load_zip_places(PREFIXES) is None


def test_the_table_is_part_of_the_law_that_workers_must_share() -> None:
    found = gatekeeper()
    assert found.zips is not None
    assert PACKAGE == "zip2info"
    assert found.rules_digest != found.rules.digest


@pytest.mark.parametrize(
    "content", ["first,last\n005,005\n", "first,last,state\nNY,NY,NY\n", "first,last,state\n005\n"]
)
def test_a_faulty_table_of_prefixes_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "zip_prefixes.csv"
    path.write_text(content)
    with pytest.raises(ZipTableError, match="each row needs first, last and state"):
        load_zip_places(path)
    with pytest.raises(ZipTableError, match="cannot be read"):
        load_zip_places(tmp_path / "nothing.csv")
