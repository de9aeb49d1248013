"""The assistant block: which assistant speaks, and what it is told about each customer.

The block goes to the provider as it stands in the file, camelCase keys and all; here it is only checked. Which keys
belong together is checked in `assistant_checks.py`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetPydanticSchema
from pydantic_core import CoreSchema, core_schema

from campaigns.definition.assistant_parts import (
    Amd,
    Destination,
    HeaderName,
    Hook,
    Keys,
    NotInCampaigns,
    Tag,
    VapiCustomer,
)
from campaigns.definition.base import Block
from campaigns.definition.values import Count, Template, Text

SOURCES_BY_PROVIDER: Mapping[str, tuple[str, ...]] = {
    "vapi": ("id", "inline", "squadId", "squad", "workflowId", "workflow"),
    "cognigy": ("applicationSid",),
    "voxworks": ("scriptId",),
}
SOURCES = tuple(key for keys in SOURCES_BY_PROVIDER.values() for key in keys)
"""Exactly one of these says who speaks, and so at which provider."""

SETTINGS_BY_PROVIDER: Mapping[str, tuple[str, ...]] = {
    "vapi": ("version", "variables", "overrides", "metadata", "customer", "transport"),
    "cognigy": (
        "to",
        "timeout",
        "timeLimit",
        "tag",
        "amd",
        "actionHook",
        "confirmHook",
        "dtmfCapture",
        "dtmfHook",
        "headers",
        "listen",
        "referHook",
        "transcribe",
        "callerName",
        "speechSynthesisVendor",
        "speechSynthesisLanguage",
        "speechSynthesisVoice",
        "speechRecognizerVendor",
        "speechRecognizerLanguage",
    ),
    "voxworks": ("objects",),
}
"""What may stand beside the source."""

TEXT_KEYS = frozenset(
    {
        "id",
        "squadId",
        "workflowId",
        "version",
        "variables",
        "applicationSid",
        "to",
        "dtmfCapture",
        "headers",
        "callerName",
        "scriptId",
        *(key for key in SETTINGS_BY_PROVIDER["cognigy"] if key.startswith("speech")),
    }
)
"""These hold text, whatever YAML or JSON would make of it; the rest goes to the provider with JSON's types."""

TEMPLATED = ("variables", "customer", "tag", "headers", "to", "objects")
"""Every text within these is a template such as "{name}"."""


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
    version: Text | None = None
    """Vapi: the version of a saved assistant; the newest when left out."""
    variables: dict[Text, Template] | None = None
    """Vapi: what the assistant is told of each customer, a template such as "{name}" for every variable."""
    overrides: dict[str, Any] | None = None
    """Vapi: settings laid over the saved assistant or squad."""
    metadata: dict[str, Any] | None = None
    """Vapi: your own data, kept with every call at the provider."""
    customer: VapiCustomer | None = None
    """Vapi: more on whom it calls; texts in it are templates."""
    transport: Annotated[dict[str, Any], Field(min_length=1)] | None = None
    """Vapi: options of the carrier, as its API takes them."""
    application_sid: Text | None = None
    """Cognigy: id of the application that takes the call when it is answered."""
    to: Destination | None = None
    """Cognigy: how the customer is reached, if not simply by number."""
    timeout: Annotated[Count, Field(le=600)] | None = None
    """Cognigy: how long to ring, in seconds; 60 when left out."""
    time_limit: Annotated[Count, Field(le=86_400)] | None = None
    """Cognigy: longest call, in seconds; no limit when left out."""
    tag: Tag | None = None
    """Cognigy: your own data, kept with every call and told to the application; texts in it are templates."""
    amd: Amd | None = None
    """Cognigy: detection of answering machines; `{}` turns it on."""
    action_hook: Hook | None = None
    """Cognigy: webhook of yours that is told the outcome when the call ends."""
    confirm_hook: Hook | None = None
    """Cognigy: webhook of yours that speaks to the person before the call is connected."""
    dtmf_capture: Annotated[list[Keys], Field(min_length=1, max_length=100)] | None = None
    """Cognigy: key sequences that are told to dtmfHook when they are pressed."""
    dtmf_hook: Hook | None = None
    """Cognigy: webhook of yours that is told of the keys in dtmfCapture."""
    headers: dict[HeaderName, Template] | None = None
    """Cognigy: SIP headers of the call; the values are templates."""
    listen: Annotated[dict[str, Any], Field(min_length=1)] | None = None
    """Cognigy: streams the call's audio to a server of yours, as the gateway's listen verb takes it."""
    refer_hook: Hook | None = None
    """Cognigy: webhook of yours that is asked when the call is to be referred elsewhere."""
    transcribe: Annotated[dict[str, Any], Field(min_length=1)] | None = None
    """Cognigy: transcribes the call, as the gateway's transcribe verb takes it."""
    caller_name: Text | None = None
    """Cognigy: the name shown with the number you call from."""
    speech_synthesis_vendor: Text | None = None
    """Cognigy: who synthesizes speech, if not as the application says."""
    speech_synthesis_language: Text | None = None
    """Cognigy: the language of synthesized speech."""
    speech_synthesis_voice: Text | None = None
    """Cognigy: the voice of synthesized speech."""
    speech_recognizer_vendor: Text | None = None
    """Cognigy: who recognizes speech, if not as the application says."""
    speech_recognizer_language: Text | None = None
    """Cognigy: the language of recognized speech."""
    script_id: Text | None = None
    """Voxworks: id of the script."""
    objects: Annotated[dict[Text, dict[Text, Any]], Field(min_length=1)] | None = None
    """Voxworks: the objects that the script works on: type, then its fields; texts in them are templates."""
    scheduled_time: NotInCampaigns = None
    """Voxworks: not in campaigns, where Ringfence decides when to dial."""
    schedule_plan: NotInCampaigns = None
    """Vapi: not in campaigns, where Ringfence decides when to dial."""

    @classmethod
    def known_keys(cls) -> tuple[str, ...]:
        """The keys that may stand here, as the file spells them."""
        return tuple(key for key in super().known_keys() if key not in _REFUSED)


_REFUSED = frozenset({"scheduledTime", "schedulePlan"})


def provider_of(assistant: Mapping[str, Any]) -> str | None:
    """Whose assistant this is, by its source; None: it has none."""
    given = (
        provider
        for provider, sources in SOURCES_BY_PROVIDER.items()
        for source in sources
        if assistant.get(source) is not None
    )
    return next(given, None)


def _as_written(block: AssistantBlock) -> dict[str, Any]:
    return block.model_dump(exclude_unset=True, exclude_none=True)


def _schema(_source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    writer = core_schema.plain_serializer_function_ser_schema(dict)
    return core_schema.no_info_after_validator_function(
        _as_written, handler.generate_schema(AssistantBlock), serialization=writer
    )


Assistant = Annotated[dict[str, Any], GetPydanticSchema(_schema)]
"""The block as a mapping with the file's own keys."""
