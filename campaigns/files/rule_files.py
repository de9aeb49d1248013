"""Reads the folder of rule files. One bad file, and nothing is dialed until it is mended."""

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from campaigns.compliance.rule_reading import RuleFileError, read_jurisdiction, read_profile, rule_book
from campaigns.compliance.rules import RuleBook

PROFILE = "profile.yaml"


def load_rules(folder: Path, *, enabled: Collection[str] = frozenset({"US"})) -> RuleBook:
    """Read `profile.yaml` and every other `*.yaml` in a folder; only `enabled` countries come into force.

    All files are checked, those of countries that are not enabled too. Raises `RuleFileError`.
    """
    contents = {path.name: _content(path) for path in sorted(folder.glob("*.yaml"))}
    if PROFILE not in contents:
        raise RuleFileError(f"{folder.name}: there is no {PROFILE}; a folder of rules has one, and one file a country")
    profile = read_profile(contents[PROFILE], file=PROFILE)
    files = {name: read_jurisdiction(content, file=name) for name, content in contents.items() if name != PROFILE}
    in_force = {name: found for name, found in files.items() if found.jurisdiction[:2] in enabled}
    return rule_book(profile, in_force, enabled=enabled, digest=_digest({PROFILE: profile, **in_force}))


def _content(path: Path) -> Any:
    """What a file says. Raises `RuleFileError`."""
    try:
        return yaml.load(path.read_bytes(), _UniqueKeyLoader)  # noqa: S506  derives from the safe loader
    except (OSError, UnicodeDecodeError) as error:
        raise RuleFileError(f"{path.name}: cannot be read ({type(error).__name__}); restore it") from error
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" in line {place.line + 1}" if place else ""
        raise RuleFileError(f"{path.name}: not YAML{where}; {getattr(error, 'problem', None) or 'mend it'}") from error


class _UniqueKeyLoader(yaml.CSafeLoader):
    """Refuses a key given twice, where plain YAML keeps the last and forgets the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is given twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _digest(files: Mapping[str, BaseModel]) -> str:
    """SHA-256 over content, not bytes: a comment or a line break does not change the law."""
    content = {name: found.model_dump(mode="json") for name, found in files.items()}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
