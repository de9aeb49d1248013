"""The campaign file: its schema, every mistake in it with line and column, its value, and that value as JSON."""

from campaigns.definition.difference import differences
from campaigns.definition.model import CampaignDefinition
from campaigns.definition.parse import parse_definition
from campaigns.definition.pending import PendingKey, pending_keys
from campaigns.definition.problems import DefinitionError, Problem
from campaigns.definition.schema import json_schema
from campaigns.definition.storage import dump_definition, load_definition

__all__ = [
    "CampaignDefinition",
    "DefinitionError",
    "PendingKey",
    "Problem",
    "differences",
    "dump_definition",
    "json_schema",
    "load_definition",
    "parse_definition",
    "pending_keys",
]
