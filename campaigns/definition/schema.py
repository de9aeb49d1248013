"""The campaign file's JSON Schema, so that editors complete keys and show what they mean."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from campaigns.definition.assistant import SETTINGS_BY_PROVIDER, SOURCES_BY_PROVIDER
from campaigns.definition.model import CampaignDefinition

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_EXAMPLE = {
    "campaign": "spring-renewal",
    "purpose": "telemarketing",
    "seller": "Example Energy, Inc.",
    "account": "vapi-main",
    "assistant": {"id": "6f1c2a90-demo", "variables": {"firstName": "{name}", "plan": "{plan}"}},
    "lines": {"pool": ["pn-1", "pn-2"]},
    "customers": {"file": "customers.csv", "defaultRegion": "US", "columns": {"number": "phone", "name": "full_name"}},
    "window": {"earliestAt": "2026-12-01T08:00:00-05:00", "latestAt": "2026-12-12T20:00:00-05:00"},
    "callingHours": {"mon-fri": "09:00-19:00", "sat": "10:00-16:00"},
    "retries": {"maxAttempts": 4, "perDay": 2, "ladder": {"no_answer": ["2h", "27h"], "busy": ["10m", "1h"]}},
}


class _Editors(GenerateJsonSchema):
    """Without the titles that repeat the keys: editors show them instead of the descriptions."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema() -> dict[str, Any]:
    """A schema of draft 2020-12. It holds for the file as YAML 1.2 reads it; `validate` says more than it can."""
    schema = CampaignDefinition.model_json_schema(schema_generator=_Editors)
    schema["$defs"]["AssistantBlock"]["oneOf"] = [_one_source(key, provider) for key, provider in _PROVIDERS.items()]
    schema["$defs"]["CustomerSource"]["oneOf"] = [{"required": ["file"]}, {"required": ["list"]}]
    head = {"$schema": _DIALECT, "title": "Ringfence campaign file"}
    return head | schema | {"examples": [_EXAMPLE]}


_PROVIDERS = {source: provider for provider, sources in SOURCES_BY_PROVIDER.items() for source in sources}


def _one_source(source: str, provider: str) -> dict[str, Any]:
    """This source, and nothing that belongs to another provider."""
    strangers = [key for other, keys in SETTINGS_BY_PROVIDER.items() if other != provider for key in keys]
    return {"required": [source], "not": {"anyOf": [{"required": [key]} for key in strangers]}}
