"""Telephone numbers as Voxworks takes them: E.164, or as they are written in its own country."""

import re

E164 = re.compile(r"\+[1-9]\d{6,14}")
_LOCAL = re.compile(r"0[1-9]\d{7,9}")
_LOOKS = re.compile(r"[\s().-]")


def international(number: object, *, country_code: str) -> str | None:
    """The number in E.164; None: it is none. `0429069971` in Australia is `+61429069971`."""
    if not isinstance(number, str):
        return None
    plain = _LOOKS.sub("", number)
    if _LOCAL.fullmatch(plain):
        plain = f"+{country_code}{plain[1:]}"
    return plain if E164.fullmatch(plain) else None
