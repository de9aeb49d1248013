"""The rules and area codes that ship with this version, read once per process."""

import hashlib
import logging
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import config
from campaigns.compliance.area_codes import AreaCodeError
from campaigns.compliance.rule_reading import RuleFileError
from campaigns.compliance.rules import RuleBook
from campaigns.compliance.zones import tzdata_version, use_packaged_zones
from campaigns.files.area_codes import load_area_codes
from campaigns.files.registry import RegistryFiles
from campaigns.files.rule_files import load_rules
from campaigns.files.zip_places import ZipTableError, load_zip_places
from campaigns.services.gatekeeper import GateKeeper

log = logging.getLogger(__name__)

DATA = Path(config.__file__).parent
RULES_FOLDER = DATA / "rules"
AREA_CODES_FILE = DATA / "area_codes.csv"
ZIP_PREFIXES_FILE = DATA / "zip_prefixes.csv"

LAW_PROBLEMS = (RuleFileError, AreaCodeError, ZipTableError)
"""What `gatekeeper` raises when a file is not sound; each says which file, and what is wrong in it."""


@lru_cache(maxsize=1)
def gatekeeper() -> GateKeeper:
    """The gate of this version.

    Raises one of `LAW_PROBLEMS` if a file is not sound: then nothing may dial.
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


def warn_of_age(rules: RuleBook, *, now: datetime) -> bool:
    """Log that the rule files want a review, if they do. They warn at 120 days and dial no real account at 400."""
    if rules.is_old(now):
        review = "`ringfence rules list` names them; have counsel check them and renew as_of"
        log.warning("rule_files_old as_of=%s days=%d %s", rules.as_of, rules.age(now).days, review)
    return rules.is_old(now)


def gatekeeper_at(home: Path) -> GateKeeper:
    """The same, able to ask the national registry's files below `home`, which is RINGFENCE_HOME of this machine."""
    return replace(gatekeeper(), registry=RegistryFiles(home))
