"""What is kept of a conversation: single words, never what was said."""

import pytest

from campaigns.calls.conversation import MOST_FIELDS, SILENCE, Conversation, answers_of, word_of


@pytest.mark.parametrize("value", ["Do not call", "do-not-call", "DO_NOT_CALL", " do  not call "])
def test_spellings_of_one_word_are_one_word(value: str) -> None:
    assert word_of(value) == "do_not_call"


@pytest.mark.parametrize(("value", "word"), [(True, "true"), (False, "false"), ("Yes", "true"), ("no", "false")])
def test_yes_and_no_are_truth_values_however_they_are_given(value: object, word: str) -> None:
    assert word_of(value) == word


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        2125550123,
        "2125550123",
        "call 2125550123 instead",
        "02134",
        "She said that she would rather not be called, but perhaps next year.",
        "x" * 64,
        "",
        "ann@example.com",
        ["opt_out"],
        {"opt_out": True},
    ],
)
def test_what_is_no_single_word_is_not_kept(value: object) -> None:
    assert word_of(value) is None


def test_of_structured_answers_only_the_words_stay() -> None:
    given = {"optOut": True, "email": "ann@example.com", "mood": "Good", "nested": {"a": 1}, "x" * 64: True}
    assert answers_of(given) == {"optOut": "true", "mood": "good"}


def test_a_long_form_is_cut() -> None:
    assert len(answers_of({f"field{number}": True for number in range(90)})) == MOST_FIELDS


def test_silence_is_empty_and_a_pressed_key_is_not() -> None:
    assert SILENCE.is_empty
    assert not Conversation(keys="9").is_empty
