"""Whether the North American plan knows a number, without the library's walk over ten kinds in 25 regions."""

import re
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType

_KINDS = (
    "premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail",
    "fixed_line", "mobile",
)  # fmt: skip
"""Every kind by which the library knows a number."""
_COUNTRY_CODE = 1


def is_known_nanp(national: str) -> bool:
    """Whether ten ASCII digits, the first of them 2 to 9, are a number of the plan: the library's own answer.

    One pattern tells it of a number of the United States (1 µs instead of 23); for all others the library is asked.
    """
    return bool(_american().fullmatch(national)) or _is_known_to_library(national)


@lru_cache(maxsize=1)
def _american() -> re.Pattern[str]:
    """All kinds of the region that the library asks before any other, as the library itself describes them."""
    described: Any = PhoneMetadata.metadata_for_region("US", None)
    kinds = [getattr(described, kind) for kind in _KINDS]
    # For landlines and mobiles it is one pattern twice.
    patterns = {f"(?:{kind.national_number_pattern})": None for kind in kinds if kind and kind.national_number_pattern}
    general = described.general_desc.national_number_pattern
    return re.compile(rf"(?=(?:{general})\Z)(?:{'|'.join(patterns)})", re.ASCII)


def _is_known_to_library(national: str) -> bool:
    number = phonenumbers.PhoneNumber(country_code=_COUNTRY_CODE, national_number=int(national))
    return bool(phonenumbers.number_type(number) != PhoneNumberType.UNKNOWN)
