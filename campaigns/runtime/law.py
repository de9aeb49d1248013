"""The rules and area codes that ship with this version, read once per process."""

import hashlib
from functools import lru_cache
from pathlib import Path

import config
from campaigns.compliance.zones import tzdata_version, use_packaged_zones
from campaigns.files.area_codes import load_area_codes
from campaigns.files.rule_files import load_rules
from campaigns.services.gatekeeper import GateKeeper

DATA = Path(config.__file__).parent
RULES_FOLDER = DATA / "rules"
AREA_CODES_FILE = DATA / "area_codes.csv"


@lru_cache(maxsize=1)
def gatekeeper() -> GateKeeper:
    """The gate of this version. Raises `RuleFileError` if a file is not sound: then nothing may dial."""
    use_packaged_zones()
    rules, area_codes = load_rules(RULES_FOLDER), load_area_codes(AREA_CODES_FILE)
    return GateKeeper(
        rules=rules,
        area_codes=area_codes,
        rules_digest=hashlib.sha256(f"{rules.digest} {area_codes.digest}".encode()).hexdigest(),
        tzdata_version=tzdata_version(),
    )
