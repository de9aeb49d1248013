import pytest

from campaigns.compliance.numbers import area_code_of, country_of, is_fictional, number_class


@pytest.mark.parametrize(
    ("number", "rule_id"),
    [
        ("+12125550123", "NUM-555"),
        ("+12125551212", "NUM-555"),
        ("+12125552345", "NUM-555"),
        ("+18005550123", "NUM-TOLLFREE"),
        ("+18882345678", "NUM-TOLLFREE"),
        ("+19005550123", "NUM-PREMIUM"),
        ("+12129762345", "NUM-PREMIUM"),
        ("+12129112345", "NUM-N11"),
        ("+12124112345", "NUM-N11"),
        ("+12129582345", "NUM-N11"),
        ("+15002345678", "NUM-NONGEO"),
        ("+15332345678", "NUM-NONGEO"),
        ("+16792345678", "NUM-INVALID"),
        ("+17102345678", "NUM-INVALID"),
        ("+12121234567", "NUM-INVALID"),
        ("2125550123", "NUM-INVALID"),
        ("+1212555012", "NUM-INVALID"),
        ("+999123456789", "NUM-INVALID"),
        ("+442", "NUM-INVALID"),
        ("sip:anna@example.com", "NUM-INVALID"),
        ("", "NUM-INVALID"),
        ("+448001234567", "NUM-TOLLFREE"),
        ("+449098790123", "NUM-PREMIUM"),
    ],
)
def test_a_number_of_this_class_is_never_dialed(number: str, rule_id: str) -> None:
    assert number_class(number) == rule_id


@pytest.mark.parametrize("number", ["+12122345678", "+17872345678", "+442079460123", "+493012345678"])
def test_an_ordinary_number_has_no_class(number: str) -> None:
    assert number_class(number) is None


def test_fictional_numbers_pass_only_where_they_are_allowed() -> None:
    assert number_class("+12125550123", fictional_allowed=True) is None
    assert number_class("+12125550200", fictional_allowed=True) == "NUM-555"
    assert number_class("+18005550123", fictional_allowed=True) == "NUM-TOLLFREE"
    assert is_fictional("+12125550199")
    assert not is_fictional("+12125550200")
    assert not is_fictional("+445550123")


def test_the_area_code_is_told_only_of_north_american_numbers() -> None:
    assert area_code_of("+12125550123") == "212"
    assert area_code_of("+442079460123") is None


def test_the_country_is_told_from_all_digits_because_many_share_a_code() -> None:
    assert country_of("+12125550123") == "US"
    assert country_of("+14162345678") == "CA"
    assert country_of("+442079460123") == "GB"
    assert country_of("nonsense") is None
