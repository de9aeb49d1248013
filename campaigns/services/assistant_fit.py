"""Whether a campaign's assistant fits the account that it is to call from: only `submit` knows the account."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from campaigns.definition.assistant import SOURCES_BY_PROVIDER, provider_of
from campaigns.definition.assistant_checks import PROVIDER_NAMES
from campaigns.definition.durations import format_duration
from campaigns.definition.model import CampaignDefinition
from campaigns.store.accounts import AccountTraits

TALK_LIMIT = "maxDurationSeconds"
"""Vapi's word for the longest call."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A key of the file that this account cannot honour. `why` is a sentence with what to do."""

    path: str
    found: str
    why: str


def misfits(definition: CampaignDefinition, account: AccountTraits) -> tuple[Misfit, ...]:
    """Everything of the assistant that does not fit the account; empty: all of it does."""
    assistant = definition.assistant
    if provider_of(assistant) != account.provider:
        return (_stranger(definition, account),)
    return (*_too_long(assistant, account), *_talks_too_long(assistant, account), *_unheard(assistant, account))


def _stranger(definition: CampaignDefinition, account: AccountTraits) -> Misfit:
    """Another provider's assistant."""
    sources = SOURCES_BY_PROVIDER[account.provider]
    source = next(key for keys in SOURCES_BY_PROVIDER.values() for key in keys if key in definition.assistant)
    theirs = f"account {definition.account} is at {PROVIDER_NAMES[account.provider]}"
    why = f"{theirs}, whose assistants are named by {', '.join(sources)}; choose one of these, or another account"
    return Misfit(f"assistant.{source}", source, why)


def _too_long(assistant: Mapping[str, Any], account: AccountTraits) -> Iterator[Misfit]:
    """A phone that rings, or a call that goes on, for longer than the account says is taken for lost too early."""
    limits = (("timeout", "ringTimeout", account.ring_timeout), ("timeLimit", "maxDuration", account.max_duration))
    for key, setting, longest in limits:
        yield from _longer(f"assistant.{key}", assistant.get(key), longest, setting=setting)


def _talks_too_long(assistant: Mapping[str, Any], account: AccountTraits) -> Iterator[Misfit]:
    """Vapi's `maxDurationSeconds`, wherever an assistant of the file says it; what `overrides` say of it counts alone.

    What is saved at Vapi cannot be seen from here.
    """
    overrides = assistant.get("overrides")
    blocks = {key: assistant.get(key) for key in SOURCES_BY_PROVIDER["vapi"]}
    if isinstance(overrides, Mapping) and TALK_LIMIT in overrides:
        blocks = {"overrides": {TALK_LIMIT: overrides[TALK_LIMIT]}}
    for path, seconds in _named(TALK_LIMIT, blocks, path="assistant"):
        yield from _longer(path, seconds, account.max_duration, setting="maxDuration")


def _named(name: str, value: Any, *, path: str) -> Iterator[tuple[str, Any]]:
    """Every value of that name, however deep, with its path."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            below = f"{path}.{key}"
            yield from [(below, each)] if key == name else _named(name, each, path=below)
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _named(name, each, path=f"{path}[{index}]")


def _longer(path: str, seconds: Any, longest: timedelta, *, setting: str) -> Iterator[Misfit]:
    if isinstance(seconds, int | float) and seconds > longest.total_seconds():
        limit = f"{setting} {format_duration(longest)}"
        why = f"{seconds} s is more than the account's {limit}; lower it, or raise {setting} in ringfence.toml"
        yield Misfit(path, str(seconds), why)


def _unheard(assistant: Mapping[str, Any], account: AccountTraits) -> Iterator[Misfit]:
    amd = assistant.get("amd")
    if isinstance(amd, Mapping) and "actionHook" not in amd and not account.webhooks:
        why = (
            "this account has no webhooks, so nobody would hear its word; set publicUrl and leave webhooks on, "
            "or give amd.actionHook"
        )
        yield Misfit("assistant.amd", "amd without actionHook", why)
