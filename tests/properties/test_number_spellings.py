"""Numbers are read by short cuts wherever they may be; the answer is always the one of the library's whole way."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.compliance.numbering_plan import is_known_nanp
from campaigns.compliance.numbers import is_fictional
from campaigns.customers.phone import PhoneProblem, normalize

digits = st.integers(0, 9).map(str)
nationals = st.from_regex(r"[2-9][0-9]{9}", fullmatch=True)
"""All of the plan, numbers that do not exist included."""
gaps = st.sampled_from(["", " ", "-", ".", "  ", " - "])
leads = st.sampled_from(
    ["", "1", "+1", "1-", "1 ", "1.", "+1 ", "+1-", "+1.", "+ 1", "001", "011", "01", "+", "(+1) ", "0"]
)
regions = st.sampled_from([None, "US", "CA", "PR", "AG", "GB", "DE", "IN", "FR", "AU", "MX"])
everywhere = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS))
kinds = st.sampled_from([kind for kind in phonenumbers.PhoneNumberType.values() if kind not in (-1, 99)])


def whole_way(text: str, region: str | None) -> str | None:
    """What the library makes of it; None: no number."""
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return e164 if phonenumbers.is_valid_number(parsed) or is_fictional(e164) else None


def our_way(text: str, region: str | None) -> str | None:
    got = normalize(text, default_region=region)
    return None if isinstance(got, PhoneProblem) else got


@given(nationals)
@settings(max_examples=1500, deadline=None)
@example("2125550123")
@example("8002345678")
@example("9002345678")
@example("5219345678")
@example("6842345678")
@example("4162345678")
@example("2684641234")
def test_one_pattern_knows_what_the_library_knows(national: str) -> None:
    number = phonenumbers.PhoneNumber(country_code=1, national_number=int(national))
    assert is_known_nanp(national) == phonenumbers.is_valid_number(number)


@given(leads, nationals, gaps, gaps, gaps, st.booleans(), regions)
@settings(max_examples=2000, deadline=None)
def test_american_spellings_are_read_as_the_library_reads_them(
    lead: str, national: str, first: str, second: str, third: str, bracketed: bool, region: str | None
) -> None:
    code = f"({national[:3]})" if bracketed else national[:3]
    text = f"{lead}{code}{first}{national[3:6]}{second}{national[6:]}{third}"
    assert our_way(text, region) == whole_way(text.strip(), region)


@given(
    everywhere, kinds, st.lists(st.tuples(st.integers(0, 20), digits), max_size=2), st.integers(-1, 1), st.booleans()
)
@settings(max_examples=1500, deadline=None)
def test_numbers_of_every_country_are_read_as_the_library_reads_them(
    region: str, kind: int, changes: list[tuple[int, str]], longer: int, written_national: bool
) -> None:
    """Each region's example numbers, whole and with digits changed, added or left out."""
    found = phonenumbers.example_number_for_type(region, kind)
    if found is None:
        return
    form = phonenumbers.PhoneNumberFormat.NATIONAL if written_national else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    text = phonenumbers.format_number(found, form)
    for place, digit in changes:
        place %= len(text)
        text = text[:place] + (digit if text[place].isdigit() else text[place]) + text[place + 1 :]
    text = text[:-1] if longer < 0 else text + "7" * longer
    assert our_way(text, region) == whole_way(text, region)


@pytest.mark.parametrize("text", ["2125550123\n", "212555012\u0663", "+1212555012\u0663", "\u0662125550123"])
def test_what_only_looks_like_plain_digits_is_read_the_whole_way(text: str) -> None:
    assert our_way(text, "US") == whole_way(text.strip(), "US")
