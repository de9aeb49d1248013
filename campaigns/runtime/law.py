"""The rules and area codes that ship with this version, read once per process."""

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import config
from campaigns.compliance.zones import tzdata_version, use_packaged_zones
from campaigns.files.area_codes import load_area_codes
from campaigns.files.registry import RegistryFiles
from campaigns.files.rule_files import load_rules
from campaigns.files.zip_places import load_zip_places
from campaigns.services.gatekeeper import GateKeeper

DATA = Path(config.__file__).parent
RULES_FOLDER = DATA / "rules"
AREA_CODES_FILE = DATA / "area_codes.csv"
ZIP_PREFIXES_FILE = DATA / "zip_prefixes.csv"


@lru_cache(maxsize=1)
def gatekeeper() -> GateKeeper:
    """The gate of this version.

    Raises `RuleFileError`, `AreaCodeError` or `ZipTableError` if a file is not sound: then nothing may dial.
    """
    use_packaged_zones()
    rules, area_codes = load_rules(RULES_FOLDER), load_area_codes(AREA_CODES_FILE)
    zips = load_zip_places(ZIP_PREFIXES_FILE)
    parts = [rules.digest, area_codes.digest, *([f"zip {zips.version}"] if zips else [])]
    return GateKeeper(
        rules=rules,
        area_codes=area_codes,
        rules_digest=hashlib.sha256(" ".join(parts).encode()).hexdigest(),
        tzdata_version=tzdata_version(),
        zips=zips,
    )


def gatekeeper_at(home: Path) -> GateKeeper:
    """The same, able to ask the national registry's files below `home`, which is RINGFENCE_HOME of this machine."""
    return replace(gatekeeper(), registry=RegistryFiles(home))
