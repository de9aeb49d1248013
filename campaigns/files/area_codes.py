"""Reads the table of area codes."""

import csv
import hashlib
from pathlib import Path

from campaigns.compliance.area_codes import AreaCodeError, AreaCodeTable, area_code_table


def load_area_codes(path: Path) -> AreaCodeTable:
    """Read a CSV whose lines starting with `#` are remarks. Raises `AreaCodeError`."""
    try:
        source = path.read_bytes()
        lines = [line for line in source.decode().splitlines() if not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise AreaCodeError(f"{path.name}: cannot be read ({type(error).__name__}); restore it") from error
    try:
        return area_code_table(csv.DictReader(lines), digest=hashlib.sha256(source).hexdigest())
    except AreaCodeError as error:
        raise AreaCodeError(f"{path.name}: {error}") from error
