"""One bad file stops dialing with a clear message; good files make the law."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

import config
from campaigns.compliance.area_codes import AreaCodeError
from campaigns.compliance.rule_reading import RuleFileError
from campaigns.compliance.rules import AiVoice
from campaigns.customers.row import STATES
from campaigns.files.area_codes import load_area_codes
from campaigns.files.rule_files import load_rules

SHIPPED = Path(config.__file__).parent / "rules"
AREA_CODES = Path(config.__file__).parent / "area_codes.csv"

Change = Callable[..., Path]


@pytest.fixture
def changed(tmp_path: Path) -> Change:
    """A copy of the shipped rules with one text of one file replaced."""

    def copy(file: str = "us-fl.yaml", old: str = "", new: str = "") -> Path:
        folder = tmp_path / "rules"
        shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        return folder

    return copy


def test_the_shipped_rules_cover_every_state_and_territory() -> None:
    rules = load_rules(SHIPPED)
    assert {key.removeprefix("US-") for key in rules.jurisdictions} == STATES | {"US"}
    assert rules.as_of == date(2026, 11, 21)
    assert all(one.citation and one.confidence for one in rules.jurisdictions.values())


def test_every_country_has_a_file_and_is_in_force_only_when_enabled() -> None:
    assert not {"AU", "CA", "GB", "DE"} & load_rules(SHIPPED).jurisdictions.keys()
    abroad = load_rules(SHIPPED, enabled=["AU", "GB"])
    assert set(abroad.jurisdictions) == {"AU", "GB"}
    with pytest.raises(RuleFileError, match="no rule file for the enabled country FR"):
        load_rules(SHIPPED, enabled=["US", "FR"])


def test_what_a_file_says_becomes_the_law() -> None:
    florida = load_rules(SHIPPED).jurisdictions["US-FL"]
    assert [str(day) for day in florida.sales_hours or ()] == ["08:00-20:00"] * 7
    (cap,) = florida.caps
    assert (cap.rule_id, cap.max_attempts, cap.window) == ("FREQ-US-FL-24H", 3, timedelta(hours=24))
    assert florida.ai_voice is AiVoice.ALLOW_WITH_PEWC
    assert florida.state_dnc_list


def test_the_digest_follows_the_law_and_not_the_comments(changed: Change) -> None:
    shipped = load_rules(SHIPPED).digest
    assert len(shipped) == 64
    assert load_rules(changed(old="# Florida.", new="# The Sunshine State.")).digest == shipped
    assert load_rules(changed(old="as_of: '2026-11-21'", new="as_of: 2026-11-21")).digest == shipped
    assert load_rules(changed(old="max_attempts: 3", new="max_attempts: 2")).digest != shipped


def test_a_country_that_is_not_enabled_does_not_change_the_digest_but_is_checked(changed: Change) -> None:
    later = changed(file="au.yaml", old="confidence: A", new="confidence: B")
    assert load_rules(later).digest == load_rules(SHIPPED).digest
    with pytest.raises(RuleFileError, match=r"gb.yaml: confidence"):
        load_rules(changed(file="gb.yaml", old="confidence: B", new="confidence: perhaps"))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("us-fl.yaml", "confidence: A", "confidence: D", "us-fl.yaml: confidence: .*'A', 'B' or 'C'.*found 'D'"),
        ("us-fl.yaml", "as_of: '2026-11-21'\n", "", "us-fl.yaml: as_of: Field required"),
        (
            "us-fl.yaml",
            "citation: Fla. Stat. 501.616(6), 501.059\nconf",
            "conf",
            "us-fl.yaml: citation: Field required",
        ),
        ("us-fl.yaml", "state_dnc_list:", "state_dnc_lsit:", "us-fl.yaml: state_dnc_lsit: Extra inputs"),
        ("us-fl.yaml", "window: PT24H", "window: 1 day", "frequency.0.window: .*P7D .days. or PT24H .hours."),
        ("us-fl.yaml", "max_attempts: 3", "max_attempts: 0", "frequency.0.max_attempts: .*greater than or equal to 1"),
        ("us-fl.yaml", "weekday: '08:00-20:00'", "weekday: 8 to 20", "weekday: .*08:00-21:00, or none"),
        ("us-fl.yaml", "weekday: '08:00-20:00'", "weekday: '20:00-08:00'", "hours must end after they begin"),
        ("us-fl.yaml", "weekday: '08:00-20:00'", "weekday: '20:00-24:30'", "hours must end after they begin"),
        ("us-fl.yaml", "America/Chicago", "America/Gotham", "zones.0: .*'America/Gotham' is not a time zone"),
        ("us-fl.yaml", "zones: [America/Chicago, America/New_York]", "zones: []", "list every time zone of US-FL"),
        ("us-fl.yaml", "extends: US", "extends: CA", "extends must name the country of US-FL"),
        ("us-fl.yaml", "jurisdiction: US-FL", "jurisdiction: US-GA", "US-GA has another file already"),
        ("us-fl.yaml", "ringfence-rules/1", "ringfence-rules/2", "us-fl.yaml: schema: Input should be"),
        ("us-fl.yaml", "name: Florida", "name: Florida\nname: Florida", "not YAML in line 6; name is given twice"),
        ("us-fl.yaml", "name: Florida", "name: [", "us-fl.yaml: not YAML in line"),
        ("us-fl.yaml", "name: Florida", "? [a, b]\n: Florida", "us-fl.yaml: not YAML in line 5; found unhashable key"),
        ("us-ny.yaml", "emergency_ban: true", "emergency_ban: perhaps", "us-ny.yaml: emergency_ban: "),
        ("us-ok.yaml", "saturday: '09:00-20:00'", "saturday: '09:00-21:00'", "effective_ai_telemarketing is not what"),
        ("us.yaml", "national_max_age_days: 31", "national_max_age_days: 0", "dnc.national_max_age_days"),
        ("profile.yaml", "honour_consent_waivers: false", "honour_consent_waivers: true", "honour_consent_waivers"),
        ("profile.yaml", "profile: strict", "profile: relaxed", "profile.yaml: profile: "),
        ("profile.yaml", "no_data: allow with warning", "no_data: maybe", "profile.yaml: reassigned"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong_in_it(
    changed: Change, file: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(RuleFileError, match=message):
        load_rules(changed(file, old, new))


def test_a_country_without_consent_or_hours_is_refused(changed: Change) -> None:
    folder = changed("gb.yaml", "solicitation_hours", "automated_voice_hours")
    with pytest.raises(RuleFileError, match=r"gb.yaml: a country needs consent and solicitation_hours"):
        load_rules(folder)


def test_better_confidence_than_c_needs_a_source(changed: Change) -> None:
    with pytest.raises(RuleFileError, match=r"us-oh.yaml: confidence B needs at least one source"):
        load_rules(changed("us-oh.yaml", "confidence: C", "confidence: B"))


def test_more_than_one_fault_is_counted(changed: Change) -> None:
    folder = changed("us-fl.yaml", "max_attempts: 3\n  window: PT24H", "max_attempts: 0\n  window: never")
    with pytest.raises(RuleFileError, match=r"\(1 more\)"):
        load_rules(folder)


def test_a_file_that_is_no_mapping_or_no_text_is_refused(changed: Change) -> None:
    folder = changed()
    (folder / "us-fl.yaml").write_text("- just a list\n")
    with pytest.raises(RuleFileError, match=r"us-fl.yaml: the file: Input should be a valid dictionary"):
        load_rules(folder)
    (folder / "us-fl.yaml").write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(RuleFileError, match=r"us-fl.yaml"):
        load_rules(folder)


def test_a_folder_without_a_profile_or_without_any_file_is_refused(tmp_path: Path, changed: Change) -> None:
    with pytest.raises(RuleFileError, match=r"there is no profile.yaml"):
        load_rules(tmp_path / "nowhere")
    folder = changed()
    (folder / "us.yaml").unlink()
    with pytest.raises(RuleFileError, match="no rule file for the enabled country US"):
        load_rules(folder)


def test_a_rule_file_that_cannot_be_opened_is_named(changed: Change) -> None:
    folder = changed()
    (folder / "us-zz.yaml").mkdir()
    with pytest.raises(RuleFileError, match=r"us-zz.yaml: cannot be read \(IsADirectoryError\)"):
        load_rules(folder)


def test_area_codes_are_read_with_their_digest() -> None:
    table = load_area_codes(AREA_CODES)
    florida = table.get("850")
    assert florida is not None
    assert (florida.state, set(florida.zones)) == ("FL", {"America/Chicago", "America/New_York"})
    assert table.get("222") is None
    assert len(table.digest) == 64


def test_a_faulty_table_of_area_codes_is_named(tmp_path: Path) -> None:
    path = tmp_path / "area_codes.csv"
    with pytest.raises(AreaCodeError, match=r"area_codes.csv: cannot be read \(FileNotFoundError\)"):
        load_area_codes(path)
    path.write_text("# only a remark\n")
    with pytest.raises(AreaCodeError, match=r"area_codes.csv: the table of area codes is empty"):
        load_area_codes(path)
