"""Which numbers are never dialed, whatever anyone consented to."""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

from campaigns.compliance.numbering_plan import is_known_nanp

NUM_INVALID = "NUM-INVALID"
NUM_TOLLFREE = "NUM-TOLLFREE"
NUM_PREMIUM = "NUM-PREMIUM"
NUM_555 = "NUM-555"
NUM_N11 = "NUM-N11"
NUM_NONGEO = "NUM-NONGEO"

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_NANP = re.compile(r"\+1[2-9]\d{9}", re.ASCII)

_TOLLFREE_CODES = frozenset({"800", "822", "833", "844", "855", "866", "877", "888"})
_PREMIUM_CODES = frozenset({"900"})
_NONGEO_CODES = frozenset(
    f"5{rest:02}"
    for rest in (0, *range(21, 30), 32, 33, 35, 38, *range(42, 48), 49, 50, 52, 53, 54, 56, 66, 69, 77, 78, 88, 89)
)
"""The numbering plan's personal and non-geographic 5XX codes: nobody's place, often billed to the caller."""
_PREMIUM_EXCHANGE = "976"
_SERVICE_EXCHANGES = frozenset({"211", "311", "411", "511", "611", "711", "811", "911", "950", "958", "959"})
"""N11 services (911 among them), carrier access (950) and test lines (958, 959): the library calls them valid."""
_DIRECTORY_EXCHANGE = "555"
_FICTIONAL_LINES = re.compile(r"01\d\d", re.ASCII)

_CLASS_BY_TYPE = {
    PhoneNumberType.TOLL_FREE: NUM_TOLLFREE,
    PhoneNumberType.PREMIUM_RATE: NUM_PREMIUM,
    PhoneNumberType.SHARED_COST: NUM_PREMIUM,
    PhoneNumberType.PERSONAL_NUMBER: NUM_NONGEO,
    PhoneNumberType.UNKNOWN: NUM_INVALID,
}


def number_class(e164: str, *, fictional_allowed: bool = False) -> str | None:
    """The id of the rule that forbids this number for ever; None: an ordinary one.

    `fictional_allowed` lets 555-01XX pass, which only calls to a simulator may.
    """
    if _NANP.fullmatch(e164):
        return _nanp_class(e164[2:5], e164[5:8], e164[8:], fictional_allowed=fictional_allowed)
    return _foreign_class(e164) if _E164.fullmatch(e164) else NUM_INVALID


def area_code_of(e164: str) -> str | None:
    """The three digits after +1; None: not a number of the North American plan."""
    return e164[2:5] if _NANP.fullmatch(e164) else None


def is_fictional(e164: str) -> bool:
    """Whether this is one of the numbers kept for fiction, 555-0100 to 555-0199 of any area code."""
    return bool(_NANP.fullmatch(e164)) and e164[5:8] == _DIRECTORY_EXCHANGE and _is_fictional_line(e164[8:])


@lru_cache(maxsize=4096)
def country_of(e164: str) -> str | None:
    """The two-letter region of a number, told from all its digits: +1 is shared by 25 countries."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(e164, None))
    except phonenumbers.NumberParseException:
        return None


def _is_fictional_line(line: str) -> bool:
    return bool(_FICTIONAL_LINES.fullmatch(line))


def _nanp_class(code: str, exchange: str, line: str, *, fictional_allowed: bool) -> str | None:
    by_code = _class_of_code(code)
    if by_code or exchange == _PREMIUM_EXCHANGE:
        return by_code or NUM_PREMIUM
    if exchange in _SERVICE_EXCHANGES:
        return NUM_N11
    if exchange == _DIRECTORY_EXCHANGE:
        # Whether its area code exists is for the place to say: the plan knows no 555 in some of the territories.
        return None if fictional_allowed and _is_fictional_line(line) else NUM_555
    return None if is_known_nanp(code + exchange + line) else NUM_INVALID


def _class_of_code(code: str) -> str | None:
    if code in _TOLLFREE_CODES:
        return NUM_TOLLFREE
    if code in _PREMIUM_CODES:
        return NUM_PREMIUM
    return NUM_NONGEO if code in _NONGEO_CODES else None


@lru_cache(maxsize=4096)
def _foreign_class(e164: str) -> str | None:
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return NUM_INVALID
    return _CLASS_BY_TYPE.get(phonenumbers.number_type(number))
