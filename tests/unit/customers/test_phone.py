import pytest

from campaigns.customers.phone import PhoneProblem, normalize


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+12125550123", None, "+12125550123"),
        (" +1 (212) 555-0123 ", None, "+12125550123"),
        ("212-555-0123", "US", "+12125550123"),
        ("1 212 555 0123", "US", "+12125550123"),
        ("001 44 20 7946 0123", "US", None),
        ("011 44 20 7946 0123", "US", "+442079460123"),
        ("+44 (0)20 7946 0123", None, "+442079460123"),
        ("(+44) 20 7946 0123", None, "+442079460123"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("\uff0b\uff11\uff12\uff11\uff12\uff15\uff15\uff15\uff10\uff11\uff12\uff13", None, "+12125550123"),
        ("+18005550123", None, "+18005550123"),
        ("+19002345678", None, "+19002345678"),
        # Fictional numbers pass in every area code that may exist, also where the plan knows no 555.
        ("+16845550123", None, "+16845550123"),
        ("684 555 0199", "US", "+16845550199"),
    ],
)
def test_many_spellings_become_one_number(text: str, region: str | None, number: str | None) -> None:
    got = normalize(text, default_region=region)
    assert got == number if number else isinstance(got, PhoneProblem)


@pytest.mark.parametrize(
    ("text", "region", "reason"),
    [
        ("", "US", "number_missing"),
        ("   ", "US", "number_missing"),
        ("212-555-0123", None, "number_no_region"),
        ("0044 20 7946 0123", None, "number_no_region"),
        ("+1 212 555 0123 x5", None, "number_extension"),
        ("212-555-0123 ext. 5", "US", "number_extension"),
        ("+12125550123;ext=77", None, "number_extension"),
        ("+12125550123,,99", None, "number_extension"),
        ("212-555-0123 #12", "US", "number_extension"),
        ("1-800-FLOWERS", "US", "number_letters"),
        ("2.125550123E9", "US", "number_letters"),
        ("sip:anna@example.com", "US", "number_sip"),
        ("anna@example.com", "US", "number_sip"),
        ("+", "US", "number_unreadable"),
        ("--", "US", "number_unreadable"),
        ("+999 123 456 789", None, "number_unreadable"),
        ("1" * 100, "US", "number_unreadable"),
        ("+1212555012", None, "number_invalid"),
        ("+11234567890", None, "number_invalid"),
        ("+16792345678", None, "number_invalid"),
        ("12345", "US", "number_invalid"),
        ("12125550123.0", "US", "number_invalid"),
    ],
)
def test_what_is_no_number_says_why(text: str, region: str | None, reason: str) -> None:
    problem = normalize(text, default_region=region)
    assert isinstance(problem, PhoneProblem)
    assert problem.reason == reason


def test_a_missing_country_code_names_the_setting_that_helps() -> None:
    problem = normalize("2125550123", default_region=None)
    assert isinstance(problem, PhoneProblem)
    assert "set customers.defaultRegion" in problem.message


@pytest.mark.parametrize("text", ["212-555-0123", "+1212555012", "+1 212 555 0123 x5", "1-800-FLOWERS"])
def test_no_message_repeats_the_number(text: str) -> None:
    problem = normalize(text, default_region=None)
    assert isinstance(problem, PhoneProblem)
    assert text not in problem.message
    assert "555" not in problem.message
