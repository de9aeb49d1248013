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
    """Where the provider reports to, and what proves that the report is for us."""

    url: str
    """With the token as its last part for a provider without `webhook_headers`."""
    headers: Mapping[str, str]
    """To be sent along; empty if the token is in the address."""


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
    voicemail_message: str | None = None
    """What is said to a machine, with the action leaveMessage."""


class NotDialedKind(StrEnum):
    """Why certainly nothing was dialed, and so what to do next."""

    PERMIT_LAPSED = "permit_lapsed"
    NO_CONNECTION = "no_connection"
    CAPACITY = "capacity"
    """The provider is full: wait for a slot, spend no attempt."""
    RATE_LIMITED = "rate_limited"
    LINE_LIMIT = "line_limit"
    """This line is spent for the day."""
    LINE_UNFIT = "line_unfit"
    """This line cannot call numbers of that country, today or any day; another one may."""
    CONFIG_ERROR = "config_error"
    """The campaign's settings are refused: its assistant, its line, a value in its body."""
    CREDENTIALS = "credentials"
    """The account's key or standing is refused (401, 402, 403): no campaign of the account can dial."""
    INVALID_NUMBER = "invalid_number"


@dataclass(frozen=True, slots=True)
class Placed:
    """The provider created the call."""

    provider_call_id: str
    clock_skew: timedelta | None = None
    """The provider's `Date` header minus our clock, when there was one."""
    rate_spent: bool = False
    """The provider counts our requests and says that none is left for now: the next one would be refused."""


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
        return _RANKS[self]


_RANKS = {phase: rank for rank, phase in enumerate(Phase)}
"""Made once: every webhook asks several times."""


class Trouble(StrEnum):
    """What one answer or end says beyond its own call: who has to slow down, to wait, or to be mended."""

    FULL = "full"
    """The account: the provider has no room for more of its calls now."""
    LINE_SPENT = "line_spent"
    """The line: nothing left until 00:00 UTC."""
    LINE_UNFIT = "line_unfit"
    """The line: it cannot call numbers of that country."""
    SETTINGS = "settings"
    """The campaign: its assistant or another of its settings does not work."""
    CREDENTIALS = "credentials"
    """The account: its key or its standing with the provider."""


class AnsweredBy(StrEnum):
    """Who picked up, where the provider tells it apart from how the call ended."""

    HUMAN = "human"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Artifacts:
    """What was said and what it cost: kept on the attempt as long as the installation's retention allows."""

    transcript: str | None = None
    summary: str | None = None
    recording_url: str | None = None
    cost_breakdown: Mapping[str, float] = field(default_factory=dict)
    """USD by part, the provider's own names."""

    @property
    def is_empty(self) -> bool:
        return self == NO_ARTIFACTS


NO_ARTIFACTS = Artifacts()


@dataclass(frozen=True, slots=True)
class Origin:
    """How a call came about, as a listing tells it: what sets our calls apart from other people's on one account."""

    inbound: bool
    """Somebody called us, or opened a call in a browser: nobody's phone was rung by it."""
    line: str | None
    """The provider's id of the line that the call left from."""
    number: str | None
    """E.164, the person's."""
    created_at: datetime | None


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
    conversation: Conversation = SILENCE
    """What was achieved, in single words: the disposition, structured answers, pressed keys."""
    ended_by_customer: bool = False
    """Whether the person called ended the connection, as far as the provider says so."""
    answered_by: AnsweredBy | None = None
    """None: the provider does not say, or says it within `verdict`."""
    trouble: Trouble | None = None
    """Why the call came to nothing, where the cause lies beyond this one call."""
    artifacts: Artifacts = NO_ARTIFACTS
    origin: Origin | None = None
    """Set in listings and fetches; what came by webhook belongs to an attempt anyhow."""


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
class WebhookRequest:
    """One webhook as it came in, before anything of it is believed."""

    body: bytes
    headers: Mapping[str, str]
    """Names in lower case."""
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do beyond placing a call; services ask here, never for a provider's name."""

    lists_calls: bool
    """Calls can be listed by time, so that absence can be proven. False: an ambiguous create is held for a person."""
    cancels_waiting: bool
    """A call that was accepted and does not ring yet can be taken back."""
    ends_live: bool
    """A live call can be hung up."""
    signs_webhooks: bool
    """Webhooks can carry a signature or secret of the account, looked at by `verify_webhook`."""
    webhook_headers: bool = True
    """Headers that we ask for come along with the webhooks of a call. False: the token has to be in the address."""


@dataclass(frozen=True, slots=True)
class Sought:
    """An attempt whose fate is looked for; every provider matches by what it keeps of a call."""

    attempt_id: UUID
    number: str
    line: str
    claimed_at: datetime
    send_by: datetime


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


class WebhookForgedError(Exception):
    """Nothing proves that this webhook comes from the account's provider. Says what is missing, not what was sent."""


class VoiceProvider(Protocol):
    """One account at one provider."""

    @property
    def capabilities(self) -> Capabilities:
        """What this provider can do."""

    async def dial(self, request: DialRequest) -> DialResult:
        """Send one create. Never retries. Never raises for anything the network or the provider does."""

    async def list_calls(self, *, created_from: datetime, created_to: datetime) -> Listing:
        """Every call created in the span, all pages. Never complete without `lists_calls`.
        Raises `ProviderUnavailableError`."""

    async def find(self, sought: Sequence[Sought], *, created_from: datetime, created_to: datetime) -> Listing:
        """The calls of these attempts, by the correlation key that the provider keeps; `attempt_id` is set in each.

        `complete`: an attempt that is not among them was not there at this look. The span covers all of `sought`.
        Raises `ProviderUnavailableError`.
        """

    async def fetch(self, provider_call_id: str) -> CallReport | None:
        """One call; None: the provider does not know it. Raises `ProviderUnavailableError`."""

    async def cancel(self, provider_call_id: str) -> bool:
        """Take a call back that waits at the provider and does not ring yet; never touches one that rings or talks.
        False: it was too late. Raises `ProviderUnavailableError`."""

    async def end(self, provider_call_id: str) -> bool:
        """Hang up a live call or cancel a queued one; False: it was over. Raises `ProviderUnavailableError`."""

    def verify_webhook(self, request: WebhookRequest, *, secret: str) -> None:
        """Prove by the account's secret that the provider sent these very bytes, and lately.
        Raises `WebhookForgedError`."""

    def parse_webhook(self, body: bytes) -> Receipt:
        """Parse one body (already authenticated). Raises `WebhookRejectedError`."""

    async def aclose(self) -> None:
        """Close connections."""
