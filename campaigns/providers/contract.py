"""What every voice provider must be able to do, and the values it answers with.

The one rule that matters: a dial answers `NotDialed` only when it is certain. Everything else that is
not a created call is `FateUnknown`, and nobody dials that person again until the fate is found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from campaigns.calls.conversation import SILENCE, Conversation
from campaigns.calls.outcomes import Verdict


class PermitLapsedError(Exception):
    """The permit's second was over before the first byte left; nothing was sent."""


class PermitGuard(Protocol):
    """Looked at last thing before the bytes leave, once a connection is held."""

    async def turn(self) -> None:
        """Wait, with the connection in hand, for this dial's instant. Raises `PermitLapsedError`."""

    def check(self) -> None:
        """Raise `PermitLapsedError` if the permit may no longer be used."""

    def remaining(self) -> timedelta:
        """How long connecting may still take; zero or less: not at all."""


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where the provider reports to, and the header that proves the report is for us."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DialRequest:
    """One attempt, ready to leave."""

    attempt_id: UUID
    """Our correlation key; every provider must echo or list it."""
    number: str
    line: str
    """The provider's id of the line we call from."""
    assistant: Mapping[str, Any]
    """The campaign's `assistant` block, camelCase as in the file, variables already filled in."""
    customer_name: str | None
    external_id: str | None
    voicemail_action: str
    webhook: WebhookTarget | None
    """None: webhooks are off, outcomes come by polling."""
    permit: PermitGuard


class NotDialedKind(StrEnum):
    """Why certainly nothing was dialed, and so what to do next."""

    PERMIT_LAPSED = "permit_lapsed"
    NO_CONNECTION = "no_connection"
    CAPACITY = "capacity"
    """The provider is full: wait for a slot, spend no attempt."""
    RATE_LIMITED = "rate_limited"
    LINE_LIMIT = "line_limit"
    """This line is spent for the day."""
    CONFIG_ERROR = "config_error"
    INVALID_NUMBER = "invalid_number"


@dataclass(frozen=True, slots=True)
class Placed:
    """The provider created the call."""

    provider_call_id: str
    clock_skew: timedelta | None = None
    """The provider's `Date` header minus our clock, when there was one."""


@dataclass(frozen=True, slots=True)
class NotDialed:
    """Certainly not dialed."""

    kind: NotDialedKind
    message: str
    retry_after: timedelta | None = None
    clock_skew: timedelta | None = None


@dataclass(frozen=True, slots=True)
class FateUnknown:
    """The provider may or may not have dialed."""

    message: str
    clock_skew: timedelta | None = None


DialResult = Placed | NotDialed | FateUnknown


class Phase(StrEnum):
    """How far a provider says a call has come; compare with `rank`, never by arrival order."""

    QUEUED = "queued"
    RINGING = "ringing"
    CONNECTED = "connected"
    ENDED = "ended"
    """Over; the report with outcome details may still come."""
    REPORTED = "reported"
    """Over, and this is all we shall hear."""

    @property
    def rank(self) -> int:
        return list(Phase).index(self)


@dataclass(frozen=True, slots=True)
class CallReport:
    """What a provider says of one call, by webhook, by listing or by fetch: always the same shape."""

    provider_call_id: str
    attempt_id: UUID | None
    """Our id as the provider echoes it; None when the call is not ours or the echo is missing."""
    phase: Phase
    verdict: Verdict | None = None
    """Set when phase is ENDED or REPORTED."""
    ended_reason: str | None = None
    """The provider's own word, at most 200 characters."""
    occurred_at: datetime | None = None
    duration: timedelta | None = None
    cost_usd: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    conversation: Conversation = SILENCE
    ended_by_customer: bool = False
    """Whether the person called ended the connection, as far as the provider says so."""
    """What was achieved, in single words: the disposition, structured answers, pressed keys."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One parsed webhook. `report` None: an event type that we store and count but do not act on."""

    dedupe_key: str
    """The same for every delivery of the same event."""
    event_type: str
    report: CallReport | None
    caller: str | None = None
    """E.164, when the event is about a call that somebody made to us."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The provider's calls in a span of time. Absence proves something only if `complete`."""

    reports: Sequence[CallReport]
    complete: bool
    clock_skew: timedelta | None = None


class ProviderUnavailableError(Exception):
    """A read (list, fetch, end) did not work this time; try again later. Says status or cause, no numbers."""


class WebhookRejectedError(Exception):
    """The body is no webhook of this provider. The message says what is wrong, without its content."""


class VoiceProvider(Protocol):
    """One account at one provider."""

    async def dial(self, request: DialRequest) -> DialResult:
        """Send one create. Never retries. Never raises for anything the network or the provider does."""

    async def list_calls(self, *, created_from: datetime, created_to: datetime) -> Listing:
        """Every call created in the span, all pages. Raises `ProviderUnavailableError`."""

    async def fetch(self, provider_call_id: str) -> CallReport | None:
        """One call; None: the provider does not know it. Raises `ProviderUnavailableError`."""

    async def end(self, provider_call_id: str) -> bool:
        """Hang up a live call or cancel a queued one; False: it was over. Raises `ProviderUnavailableError`."""

    def parse_webhook(self, body: bytes) -> Receipt:
        """Parse one body (already authenticated). Raises `WebhookRejectedError`."""

    async def aclose(self) -> None:
        """Close connections."""
