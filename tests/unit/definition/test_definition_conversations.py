"""`stopWhen` and `optOut`: what they hear, and what they may say."""

from collections.abc import Callable

import pytest

from campaigns.calls.conversation import Conversation
from campaigns.definition import CampaignDefinition, Problem, parse_definition, pending_keys

Problems = Callable[[str | bytes], tuple[Problem, ...]]
STOP = "stopWhen: {dispositions: [booked, opt_out]}"


def read(text: str) -> CampaignDefinition:
    return parse_definition(text.encode(), file="a.yaml")


@pytest.mark.parametrize("word", ["opt_out", "do_not_call"])
def test_these_dispositions_are_an_opt_out_in_every_campaign(good: str, word: str) -> None:
    for text in (good, good.replace(STOP, "optOut: {dispositions: [never_again]}")):
        assert read(text).opt_out.heard_in(Conversation(disposition=word)) == f"disposition {word}"


def test_a_disposition_of_the_file_is_an_opt_out_however_it_is_spelt(good: str) -> None:
    opt_out = read(good.replace(STOP, "optOut: {dispositions: [Never-Again]}")).opt_out
    assert opt_out.heard_in(Conversation(disposition="never_again")) == "disposition never_again"
    assert opt_out.heard_in(Conversation(disposition="booked")) is None


@pytest.mark.parametrize("written", ["true", "yes", "True"])
def test_a_structured_answer_is_compared_as_a_word(good: str, written: str) -> None:
    opt_out = read(good.replace(STOP, f"optOut: {{structuredData: {{wantsNoCalls: {written}}}}}")).opt_out
    assert opt_out.heard_in(Conversation(answers={"wantsNoCalls": "true"})) == "wantsNoCalls: true"
    assert opt_out.heard_in(Conversation(answers={"wantsNoCalls": "false"})) is None
    assert opt_out.heard_in(Conversation()) is None


def test_a_pressed_key_is_an_opt_out_and_pending_until_a_provider_reports_keys(good: str) -> None:
    definition = read(good.replace(STOP, "optOut: {keys: [9]}"))
    assert definition.opt_out.heard_in(Conversation(keys="39")) == "key 9"
    assert definition.opt_out.heard_in(Conversation(keys="3")) is None
    assert "optOut.keys" in [key.path for key in pending_keys(definition)]


def test_a_disposition_of_stop_when_ends_the_calling_and_others_do_not(good: str) -> None:
    stop_when = read(good).stop_when
    assert stop_when is not None
    assert stop_when.ends_with("booked")
    assert not stop_when.ends_with("called_too_early")
    assert not stop_when.ends_with(None)


@pytest.mark.parametrize(
    ("instead", "path", "part"),
    [
        ("stopWhen: {}", "stopWhen", "dispositions, inboundCall: true, or both"),
        ("stopWhen: {inboundCall: false}", "stopWhen", "dispositions, inboundCall: true, or both"),
        ("stopWhen: {inboundCall: perhaps}", "stopWhen.inboundCall", "true or false"),
        ("optOut: {scope: everything}", "optOut.scope", "all, seller, purpose, campaign"),
        ("optOut: {structuredData: {note: it is a long story}}", "optOut.structuredData.note", "one word"),
        ("optOut: {structuredData: {phone: 2125550123}}", "optOut.structuredData.phone", "one word"),
        ("optOut: {keys: [10]}", "optOut.keys[0]", "10"),
        ("optOut: {words: [stop]}", "optOut.words", "not known"),
    ],
)
def test_a_mistake_in_them_is_named(good: str, problems_of: Problems, instead: str, path: str, part: str) -> None:
    problems = problems_of(good.replace(STOP, instead))
    assert [problem.path for problem in problems] == [path]
    assert all(part in problem.message for problem in problems)
