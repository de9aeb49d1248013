"""The switches that only the simulated Vapi has.

Where Vapi's behaviour could not be settled, the switch offers every way it is told; a client should be right under all.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Literal

from pydantic.dataclasses import dataclass

from campaigns.simulator.fields import STRICT, Count, Limit, Share, Span, Weight

RefusedStatus = Literal[400, 402, 403, 404, 409, 422, 429]


class ErrorShape(StrEnum):
    """What a refusal's body looks like."""

    NEST = "nest"
    """`{"message": "text" or ["text", …], "error": "Bad Request", "statusCode": 400}`, today's."""
    PLAIN = "plain"
    """`{"error": "text"}`, the older one."""
    TEXT = "text"
    """No JSON, the text alone."""


class WhenTold(StrEnum):
    """How a limit that is known at the create is told."""

    REFUSE = "refuse"
    """400; no call."""
    END = "end"
    """201, and the call ends at once with the limit's `endedReason`."""


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class HmacCredential:
    """How webhooks are signed when `vapi.hmac.secret` is set. The defaults are Vapi's."""

    secret: str | None = None
    """None: webhooks are not signed."""
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    """The hash of the HMAC."""
    signature_header: str = "x-signature"
    """The header that carries the digest."""
    timestamp_header: str = "x-timestamp"
    """The header that carries the signed time."""
    message_id_header: str | None = None
    """A header with an id of its own for each event, the same on every try; None: there is none."""
    payload: str = "{timestamp}.{body}"
    """What is signed; may also name `{messageId}`."""
    encoding: Literal["hex", "base64"] = "hex"
    """How the digest is written."""
    prefix: str = ""
    """Stands before the digest, such as `sha256=`."""
    timestamp_unit: Literal["seconds", "milliseconds"] = "milliseconds"
    """How the time is written."""
    timestamp_offset: float = 0.0
    """Seconds added to the signed time: -400 lets the signature look like a replay."""


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class VapiConfig:
    """One simulated Vapi organisation."""

    public_key: str | None = None
    """The key that `POST /call/web` expects; None: any key that is not `api_key`. `api_key` itself is answered 401."""
    metadata: Literal["accept", "refuse"] = "accept"
    """Whether `metadata` at the root of `POST /call` is taken or refused as an unknown property."""
    error_shape: ErrorShape = ErrorShape.NEST
    """The shape of every refusal's body."""
    full_status: RefusedStatus = 400
    """The status of `when_full: refuse`."""
    rate_limit_retry_after: Limit | None = None
    """Seconds in the `Retry-After` of the 429 that `requests_per_minute` causes; None: there is none, as documented."""
    credits: Literal["enough", "refuse", "end"] = "enough"
    """`refuse`: creates are answered 402; `end`: they are accepted and end with
    `call.start.error-subscription-insufficient-credits`."""
    list_lag: Weight = 0.0
    """Real seconds until a call that was answered 201 is listed by `GET /call`. `GET /call/{id}` knows it at once."""
    customers_most: Count | None = None
    """More `customers` in one create are refused; None: no limit, as documented."""
    customer_overrides: Literal["replace", "merge"] = "replace"
    """What a customer's own `assistantOverrides` do to those of the call."""
    machine_without_detection: Literal["voicemail", "silence"] = "voicemail"
    """How a machine that answers ends when `voicemailDetection` is off: told all the same, or like an answered call
    (`silence-timed-out`), as Vapi does."""

    schedule_delay: Span = (0.0, 0.0)
    """Real seconds after `earliestAt` that a scheduled call starts; reports from the field tell of five minutes."""
    schedule_horizon: Weight | None = None
    """Seconds; an `earliestAt` further ahead is refused. None: any, as documented."""
    schedule_past: Literal["dial", "refuse"] = "dial"
    """What becomes of an `earliestAt` that is over: dialed at once, or 400."""
    schedule_order: Literal["refuse", "expire"] = "refuse"
    """What becomes of a `latestAt` before `earliestAt` or in the past: 400, or a call that expires."""
    expired_reason: str = "call.start.error-subscription-concurrency-limit-reached"
    """`endedReason` of a call that could not start by `latestAt`. Vapi documents none of its own for it."""

    free_lines: tuple[str, ...] = ()
    """Those of `lines` that were bought from Vapi; the others are imported. Numbers bought by `POST /phone-number` are
    free ones by themselves."""
    free_daily_limit: Limit | None = 10
    """Calls that a free number makes in one UTC day; None: no limit."""
    free_daily_limit_told: WhenTold = WhenTold.REFUSE
    """`end`: with `call.start.error-vapi-number-outbound-daily-limit`."""
    free_international_told: WhenTold = WhenTold.END
    """Calls of a free number to numbers that do not begin with +1. `end`: with
    `call.start.error-vapi-number-international`."""
    free_numbers_most: Limit = 5
    """Free numbers that can be bought."""
    activating: Weight = 0.0
    """Simulated seconds that a bought number stays `activating`; its calls end with
    `call.start.error-get-phone-number`."""

    server_url: str | None = None
    """The organisation's own webhook URL, for calls whose assistant and phone number have none."""
    webhook_secret: str | None = None
    """Sent as `X-Vapi-Secret` with every webhook; None: not sent."""
    hmac: HmacCredential = field(default_factory=HmacCredential)

    dispositions: Mapping[str, Weight] = field(default_factory=dict)
    """Words of `analysis.structuredData.disposition` of answered calls, by weight; none given: no structured data,
    as of an assistant without a plan for it."""
    scripted_dispositions: Mapping[str, str] = field(default_factory=dict)
    """Number → its disposition. Goes before `dispositions`."""
    success_rubric: Literal["PassFail", "NumericScale", "DescriptiveScale"] = "PassFail"
    """`successEvaluation` is `true` or `false`, 1 to 10, or a word."""
    analysis: Share = 1.0
    """Share of answered calls whose analysis comes at all; the others have an empty one."""
    delete_unavailable: Share = 0.0
    """Share of `DELETE /call/{id}` that are answered 503 and delete nothing."""
    control_url: bool = True
    """False: calls carry no `monitor.controlUrl`, as when the assistant's monitor plan is off."""
