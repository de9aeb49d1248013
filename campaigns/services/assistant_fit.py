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
    return (*_too_long(assistant, account), *_unheard(assistant, account))


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
        seconds = assistant.get(key)
        if isinstance(seconds, int) and timedelta(seconds=seconds) > longest:
            limit = f"{setting} {format_duration(longest)}"
            why = f"{seconds} s is more than the account's {limit}; lower it, or raise {setting} in ringfence.toml"
            yield Misfit(f"assistant.{key}", str(seconds), why)


def _unheard(assistant: Mapping[str, Any], account: AccountTraits) -> Iterator[Misfit]:
    amd = assistant.get("amd")
    if isinstance(amd, Mapping) and "actionHook" not in amd and not account.webhooks:
        why = (
            "this account has no webhooks, so nobody would hear its word; set publicUrl and leave webhooks on, "
            "or give amd.actionHook"
        )
        yield Misfit("assistant.amd", "amd without actionHook", why)
