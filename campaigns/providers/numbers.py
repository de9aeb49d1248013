"""The phone numbers of an account: bought, imported, set up for people who call them. Our lines are among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import SecretStr


class NumberSource(StrEnum):
    """Where a number comes from."""

    VAPI = "vapi"
    """Bought from Vapi: free, within one country, with a daily limit of calls."""
    TWILIO = "twilio"
    VONAGE = "vonage"
    TELNYX = "telnyx"
    BYO = "byo"
    """Your own SIP trunk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNumber:
    """A number to buy or import. What a source needs of it, and what it does not take, the provider's module says."""

    source: NumberSource
    number: str | None = None
    """E.164; of a SIP trunk perhaps not."""
    area_code: str | None = None
    credential_id: str | None = None
    """The provider's id of the credential that opens the carrier."""
    account_sid: str | None = None
    auth_token: SecretStr | None = None
    api_key: str | None = None
    api_secret: SecretStr | None = None
    sip_uri: str | None = None
    check_e164: bool | None = None
    """None: as the provider does by default."""
    sms_enabled: bool | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """As for `PhoneNumbers.update`."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """One number as the provider describes it, without its secrets."""

    id: str
    """What a campaign names as its line."""
    number: str | None
    source: str
    """The provider's word."""
    name: str | None
    status: str | None
    """Such as active, activating, blocked."""
    assistant_id: str | None
    squad_id: str | None
    workflow_id: str | None
    hooks: Sequence[Mapping[str, Any]]
    credential_id: str | None
    sip_uri: str | None
    created_at: datetime | None


class UnusableNumberError(ValueError):
    """The wish is incomplete or contradicts itself; nothing was sent. Says which part, never a secret."""


class PhoneNumbers(Protocol):
    """The phone numbers of one account. Every method raises `ProviderRefusedError` and `ProviderUnavailableError`.

    The changing ones also raise `FateUnknownError`, and never repeat a request by themselves.
    """

    async def create(self, wish: NewNumber) -> PhoneNumber:
        """Buy or import one. Raises `UnusableNumberError`."""

    async def list_all(self) -> list[PhoneNumber]:
        """Every number of the account, the newest first."""

    async def get(self, number_id: str) -> PhoneNumber:
        """One number. Raises `NotFoundAtProviderError`."""

    async def update(self, number_id: str, settings: Mapping[str, Any]) -> PhoneNumber:
        """Change what `settings` name: name, assistantId, squadId, workflowId, hooks. Raises `UnusableNumberError`."""

    async def delete(self, number_id: str) -> None:
        """Give the number up. Raises `NotFoundAtProviderError`."""

    async def aclose(self) -> None:
        """Close connections."""
