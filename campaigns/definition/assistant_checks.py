"""What must agree within the assistant block: one source, the keys of its provider alone, templates without a flaw."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from campaigns.definition.assistant import SETTINGS_BY_PROVIDER, SOURCES_BY_PROVIDER, TEMPLATED, provider_of
from campaigns.definition.findings import Finding
from campaigns.definition.templates import TemplateError, placeholders, texts_in
from campaigns.definition.yaml_nodes import Path

PROVIDER_NAMES: Mapping[str, str] = {"vapi": "Vapi", "cognigy": "Cognigy", "voxworks": "Voxworks"}

_PROVIDER_OF_KEY = {
    key: provider
    for provider in SOURCES_BY_PROVIDER
    for key in (*SOURCES_BY_PROVIDER[provider], *SETTINGS_BY_PROVIDER[provider])
}
_FREE_FORM: tuple[tuple[str, ...], ...] = (("tag",), ("objects",), ("customer", "assistantOverrides"))
"""Nested as their author likes; the templates of other keys are read by the model, which knows their places."""

_SIP_OF_NUMBER = re.compile(r"sips?:\{\s*number\s*\}@.")


def assistant_findings(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Every disagreement within `assistant`, and with what a campaign may ask of its provider."""
    assistant = data.get("assistant")
    if not isinstance(assistant, Mapping):
        return
    provider = provider_of(assistant)
    if provider is not None:
        yield from _keys_of_others(assistant, provider)
        yield from _no_voicemail(data, provider)
    yield from _keys_have_a_listener(assistant)
    yield from _listen_knows_where(assistant)
    yield from _sip_address_is_the_customers(assistant)
    for path in _FREE_FORM:
        yield from _templates(_at(assistant, path), ("assistant", *path))


def templates_of(assistant: Mapping[str, Any]) -> dict[str, str]:
    """Every template of the block by its path, such as `variables.firstName`."""
    return {".".join(map(str, path)): text for key in TEMPLATED for path, text in texts_in(assistant.get(key), (key,))}


def _at(block: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = block
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _keys_of_others(assistant: Mapping[str, Any], provider: str) -> Iterator[Finding]:
    sources = SOURCES_BY_PROVIDER[provider]
    source = next(key for key in sources if assistant.get(key) is not None)
    for key in assistant:
        owner = _PROVIDER_OF_KEY.get(key, provider)
        if owner != provider and key not in SOURCES_BY_PROVIDER[owner]:
            allowed = ", ".join(SETTINGS_BY_PROVIDER[provider])
            whose = f"{key} is for {PROVIDER_NAMES[owner]}, and {source} names an assistant at"
            message = f"{whose} {PROVIDER_NAMES[provider]}; allowed beside {source}: {allowed}"
            yield Finding(("assistant", key), key, allowed, message, on_key=True)


def _no_voicemail(data: Mapping[str, Any], provider: str) -> Iterator[Finding]:
    if provider == "vapi" or data.get("voicemail") is None:
        return
    allowed = "no voicemail block here"
    name = PROVIDER_NAMES[provider]
    message = f"what happens at a machine is decided by your {_DECIDER[provider]} at {name}; allowed: {allowed}"
    yield Finding(("voicemail",), f"voicemail with {name}", allowed, message, on_key=True)


_DECIDER = {"cognigy": "application", "voxworks": "script"}


def _keys_have_a_listener(assistant: Mapping[str, Any]) -> Iterator[Finding]:
    capture, hook = assistant.get("dtmfCapture"), assistant.get("dtmfHook")
    if (capture is None) != (hook is None):
        given, missing = ("dtmfCapture", "dtmfHook") if hook is None else ("dtmfHook", "dtmfCapture")
        allowed = "dtmfCapture and dtmfHook together"
        message = f"{given} has no effect without {missing}; allowed: {allowed}"
        yield Finding(("assistant", given), f"{given} alone", allowed, message, on_key=True)


def _listen_knows_where(assistant: Mapping[str, Any]) -> Iterator[Finding]:
    listen = assistant.get("listen")
    if isinstance(listen, Mapping) and listen and not isinstance(listen.get("url"), str):
        allowed = "an address such as wss://example.com/audio"
        message = f"listen does not say where the audio goes; allowed: {allowed}"
        yield Finding(("assistant", "listen", "url"), "nothing", allowed, message)


def _sip_address_is_the_customers(assistant: Mapping[str, Any]) -> Iterator[Finding]:
    """The rules judge the customer's number: an address of anybody else would go around them."""
    address = _at(assistant, ("customer", "sipUri"))
    if isinstance(address, str) and not _SIP_OF_NUMBER.match(address):
        allowed = "an address whose user is the customer's number, such as sip:{number}@sbc.example.com"
        message = f"the rules judge the customer's number and nobody else's; allowed: {allowed}"
        yield Finding(("assistant", "customer", "sipUri"), f'"{address[:60]}"', allowed, message)


def _templates(value: Any, path: Path) -> Iterator[Finding]:
    for place in _unquoted(value, path):
        allowed = "a text in quotes"
        message = f'a template in braces must be quoted, such as "{{name}}"; allowed: {allowed}'
        yield Finding(place, "a mapping", allowed, message)
    for place, text in texts_in(value, path):
        try:
            placeholders(text)
        except TemplateError as error:
            allowed = 'a text such as "{name}" or "Dear {name}"'
            yield Finding(place, f'"{text[:60]}"', allowed, f"{error}; allowed: {allowed}")


def _unquoted(value: Any, path: Path) -> Iterator[Path]:
    """Where `plan: {plan}` was meant as a template: YAML reads it as a mapping with one empty key."""
    if isinstance(value, Mapping):
        if len(value) == 1 and next(iter(value.values())) is None:
            yield path
        for key, each in value.items():
            yield from _unquoted(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _unquoted(each, (*path, index))
