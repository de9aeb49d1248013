"""Short cuts in the reading of numbers give the answers of the long way."""

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.compliance.numbers import NUM_INVALID, is_fictional, number_class
from campaigns.customers.phone import PhoneProblem, normalize

nanp = st.from_regex(r"\+1[2-9][0-9]{9}", fullmatch=True)
geographic = st.sampled_from([201, 202, 212, 274, 305, 340, 423, 472, 505, 670, 671, 684, 787, 907, 928, 939, 983])
ordinary = st.builds(lambda code, rest: f"+1{code}{rest}", geographic, st.from_regex(r"[2-9][0-9]{6}", fullmatch=True))


@given(st.one_of(nanp, ordinary))
@settings(max_examples=700, deadline=None)
def test_the_fast_path_gives_what_a_full_parse_gives(text: str) -> None:
    parsed = phonenumbers.parse(text, None)
    valid = phonenumbers.is_valid_number(parsed)
    got = normalize(text, default_region=None)
    if valid or is_fictional(text):
        assert got == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    else:
        assert isinstance(got, PhoneProblem)


@given(ordinary)
@settings(max_examples=700, deadline=None)
def test_an_area_code_and_exchange_tell_whether_a_number_exists(text: str) -> None:
    refused = number_class(text)
    if not phonenumbers.is_valid_number(phonenumbers.parse(text, None)):
        assert refused is not None
    elif refused == NUM_INVALID:
        raise AssertionError(f"{text} is valid and was called invalid")


@given(nanp)
@settings(max_examples=500, deadline=None)
def test_no_number_that_the_plan_does_not_know_passes_for_an_ordinary_one(text: str) -> None:
    if number_class(text) is None:
        assert phonenumbers.is_valid_number(phonenumbers.parse(text, None))


@given(ordinary, st.sampled_from(["{}", " {} ", "({}) {}-{}", "{}.{}.{}", "1-{}-{}-{}", "+1 {} {} {}"]))
@settings(max_examples=500, deadline=None)
def test_every_spelling_of_a_number_becomes_the_same_number(text: str, form: str) -> None:
    parts = (text[2:5], text[5:8], text[8:]) if form.count("{}") == 3 else (text,)
    assert normalize(form.format(*parts), default_region="US") == normalize(text, default_region=None)


@given(st.text(max_size=300), st.sampled_from([None, "US", "GB", "DE"]))
@settings(max_examples=500, deadline=None)
def test_no_text_whatever_breaks_the_reading(text: str, region: str | None) -> None:
    got = normalize(text, default_region=region)
    assert isinstance(got, PhoneProblem) or number_class(got) != "NUM-INVALID" or is_fictional(got)
