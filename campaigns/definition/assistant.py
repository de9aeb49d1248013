"""The assistant block: which assistant speaks, and what it is told about each customer.

The block goes to the provider as it stands in the file, camelCase keys and all; here it is only checked.
"""

from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetPydanticSchema
from pydantic_core import CoreSchema, core_schema

from campaigns.definition.base import Block
from campaigns.definition.values import Template, Text

VAPI_SOURCES = ("id", "inline", "squadId", "squad", "workflowId", "workflow")
OTHER_SOURCES = ("applicationSid", "scriptId")
SOURCES = VAPI_SOURCES + OTHER_SOURCES
"""Exactly one of these says who speaks."""


class AssistantBlock(Block):
    """One of id, inline, squadId, squad, workflowId, workflow (Vapi), applicationSid (Cognigy), scriptId (Voxworks)."""

    id: Text | None = None
    """Vapi: id of a saved assistant."""
    inline: dict[str, Any] | None = None
    """Vapi: a whole assistant, as its API takes it."""
    squad_id: Text | None = None
    """Vapi: id of a saved squad."""
    squad: dict[str, Any] | None = None
    """Vapi: a whole squad, as its API takes it."""
    workflow_id: Text | None = None
    """Vapi: id of a saved workflow."""
    workflow: dict[str, Any] | None = None
    """Vapi: a whole workflow, as its API takes it."""
    version: Any = None
    """Vapi: the version of a saved assistant; the newest when left out."""
    application_sid: Text | None = None
    """Cognigy: id of the application."""
    script_id: Text | None = None
    """Voxworks: id of the script."""
    variables: dict[Text, Template] = Field(default_factory=dict)
    """What the assistant is told of each customer: a template such as "{name}" for every variable."""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """Vapi: settings laid over the saved assistant or squad."""
    metadata: dict[str, Any] = Field(default_factory=dict)
    """Your own data, kept with every call at the provider."""
    timeout: Any = None
    """Cognigy: how long to ring, in seconds."""
    time_limit: Any = None
    """Cognigy: longest call, in seconds."""
    tag: Any = None
    """Cognigy: your own data, kept with every call."""
    amd: Any = None
    """Cognigy: detection of answering machines."""
    headers: Any = None
    """Cognigy: SIP headers."""
    objects: Any = None
    """Voxworks: the objects that the script works on."""


def _as_written(block: AssistantBlock) -> dict[str, Any]:
    return block.model_dump(exclude_unset=True, exclude_none=True)


def _schema(_source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    writer = core_schema.plain_serializer_function_ser_schema(dict)
    return core_schema.no_info_after_validator_function(
        _as_written, handler.generate_schema(AssistantBlock), serialization=writer
    )


Assistant = Annotated[dict[str, Any], GetPydanticSchema(_schema)]
"""The block as a mapping with the file's own keys."""
