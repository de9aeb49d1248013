"""A definition as JSON and back: how the database keeps it."""

from collections.abc import Mapping
from typing import Any

from campaigns.definition.checking import check, problem_of
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.problems import DefinitionError


def dump_definition(definition: CampaignDefinition) -> dict[str, Any]:
    """The definition as JSON, in the file's own keys and spellings; every default is written out."""
    return definition.model_dump(mode="json", exclude_none=True)


def load_definition(data: Mapping[str, Any]) -> CampaignDefinition:
    """What `dump_definition` wrote. Raises `DefinitionError`, without places, for anything else."""
    definition, findings = check(dict(data))
    if definition is None or findings:
        raise DefinitionError([problem_of(each, file="the stored definition", root=None) for each in findings])
    return definition
