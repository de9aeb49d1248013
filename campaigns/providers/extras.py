"""What some providers can do beside the protocol that all of them follow; asked for with `isinstance`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable


class ProviderRefusedError(Exception):
    """The provider said no, and nothing happened there. The message holds its words, without secrets or numbers."""


class NotFoundAtProviderError(ProviderRefusedError):
    """The provider knows nothing of that id."""


class KeyRefusedError(ProviderRefusedError):
    """The provider did not accept the account's key."""


class FateUnknownError(Exception):
    """A change was asked for and not answered: it may have happened or not. The message says how to find out."""


@runtime_checkable
class DeletesCallData(Protocol):
    """A provider that can forget a call."""

    async def delete_data(self, provider_call_id: str) -> bool:
        """Delete what the provider keeps of a call; hangs up nothing. False: it knows no such call.
        Raises `ProviderUnavailableError`: it is not deleted, or not yet."""


@runtime_checkable
class ReschedulesCalls(Protocol):
    """A provider that can move a call which it holds back until its time."""

    async def reschedule(self, provider_call_id: str, *, due_at: datetime) -> bool:
        """Move a call that waits there; False: it was too late. Raises `ProviderUnavailableError`."""


@dataclass(frozen=True, slots=True)
class WebCall:
    """A conversation in a browser: no phone rings."""

    provider_call_id: str
    join_url: str | None
    """Where a browser joins; None: only the provider's own web client can."""


class WebCalls(Protocol):
    """Calls in a browser, made with the account's public key."""

    async def create(self, assistant: Mapping[str, Any]) -> WebCall:
        """`assistant`: a campaign file's block, variables filled in. Raises `ProviderRefusedError`,
        `ProviderUnavailableError`, `FateUnknownError`."""

    async def aclose(self) -> None:
        """Close connections."""
