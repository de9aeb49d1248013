"""Cells of a CSV file that people open in a spreadsheet."""

import re

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Also in full width, which some spreadsheets take for the same."""
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def harmless(text: str) -> str:
    """A spreadsheet must show what stands there, not run it.

    A phone number in E.164 begins with a plus sign and stays as it is: a plus sign and digits make no formula, and
    programs that read the file expect it so.
    """
    return f"'{text}" if text.startswith(_FORMULA_STARTS) and not _E164.fullmatch(text) else text
