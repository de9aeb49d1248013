"""What a sales campaign states of itself, and the distance that it keeps."""

from datetime import timedelta

import pytest

from campaigns.definition import CampaignDefinition, DefinitionError, dump_definition, load_definition, parse_definition
from campaigns.services.preflight import missing_identification

WHOLE = """identification:
  entity: Example Energy, Inc.
  callbackNumber: "+1 800-555-2345"
  aiNotice: true
  optOut: say stop or press 9
"""


def parsed(good: str, more: str = "") -> CampaignDefinition:
    return parse_definition((good + more).encode(), file="a.yaml")


def missing(definition: CampaignDefinition) -> list[str]:
    return [key.path for key in missing_identification(definition)]


def test_a_sales_campaign_that_states_everything_lacks_nothing(good: str) -> None:
    definition = parsed(good, WHOLE)
    assert missing(definition) == []
    assert definition.identification.callback_number == "+18005552345"
    assert load_definition(dump_definition(definition)) == definition


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("  entity: Example Energy, Inc.\n", "identification.entity"),
        ('  callbackNumber: "+1 800-555-2345"\n', "identification.callbackNumber"),
        ("  aiNotice: true\n", "identification.aiNotice"),
        ("  optOut: say stop or press 9\n", "identification.optOut"),
    ],
)
def test_what_is_left_out_is_named(good: str, line: str, path: str) -> None:
    assert missing(parsed(good, WHOLE.replace(line, ""))) == [path]


def test_a_notice_that_is_not_given_is_missing(good: str) -> None:
    assert missing(parsed(good, WHOLE.replace("aiNotice: true", "aiNotice: false"))) == ["identification.aiNotice"]


@pytest.mark.parametrize("purpose", ["informational", "debt_collection", "emergency"])
def test_only_sales_calls_have_to(good: str, purpose: str) -> None:
    once = "".join(line for line in good.splitlines(keepends=True) if not line.startswith("schedule:"))
    assert missing(parsed(once.replace("purpose: telemarketing", f"purpose: {purpose}"))) == []


def test_an_emergency_cannot_recur(good: str) -> None:
    with pytest.raises(DefinitionError) as error:
        parsed(good.replace("purpose: telemarketing", "purpose: emergency"))
    assert [problem.path for problem in error.value.problems] == ["schedule"]


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("+19005552345", "costs the caller"),
        ("+12129765432", "costs the caller"),
        ("+12129115432", "service number"),
        ("+12125550", "no such number"),
        ("call us", "no such number"),
    ],
)
def test_a_number_at_which_nobody_can_ask_to_be_left_alone_is_a_mistake(good: str, number: str, why: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        parsed(good, WHOLE.replace("+1 800-555-2345", number))
    (problem,) = raised.value.problems
    assert problem.path == "identification.callbackNumber"
    assert why in problem.message


@pytest.mark.parametrize("number", ["+12025550142", "+442071838750", "+12122345678"])
def test_an_ordinary_number_will_do_and_a_fictional_one_for_rehearsals(good: str, number: str) -> None:
    assert parsed(good, WHOLE.replace("+1 800-555-2345", number)).identification.callback_number == number


def test_a_misspelt_key_is_told_with_the_nearest(good: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        parsed(good, WHOLE.replace("aiNotice", "aiNotise"))
    assert [problem.nearest for problem in raised.value.problems] == ["aiNotice"]


def test_a_campaign_may_keep_its_distance_from_others(good: str) -> None:
    assert parsed(good).min_gap is None
    wide = parsed(good, "minGap: 4h\n")
    assert wide.min_gap == timedelta(hours=4)
    assert load_definition(dump_definition(wide)) == wide
    with pytest.raises(DefinitionError):
        parsed(good, "minGap: 0s\n")
