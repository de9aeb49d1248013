"""The switches that only the simulated Voxworks has.

Its published description ends at the create. What lies beyond (fields, spellings, limits) is a switch, so that a client
can be tried under each of the ways it may turn out to be.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from campaigns.simulator.fields import STRICT, Count, Limit, Share, Span, Weight


class Spelling(StrEnum):
    """How status values are written. The documented names come from a filter of the automation screen."""

    DOCUMENTED = "documented"
    """`rang-out`, `User unavailable`."""
    TITLE = "title"
    """`Rang Out`, `User Unavailable`."""
    SNAKE = "snake"
    """`rang_out`, `user_unavailable`."""
    UPPER = "upper"
    """`RANG_OUT`, `USER_UNAVAILABLE`."""
    KEBAB = "kebab"
    """`rang-out`, `user-unavailable`."""


class FieldStyle(StrEnum):
    """How the fields of a call are named in `get-call` and `get-call-result`."""

    SNAKE = "snake"
    """`status`, `summary`, `recording_url`, like the fields of the create."""
    CAMEL = "camel"
    """`status`, `summary`, `recordingUrl`."""
    AUTOMATION = "automation"
    """`call_status`, `call_summary`, `phone_user`, as the automation screen names them."""


class VoxworksWhenFull(StrEnum):
    """What becomes of a create when `concurrency_limit` calls are live. Undocumented."""

    QUEUE = "queue"
    """201, and the call stays scheduled until a slot is free."""
    END = "end"
    """201, and the call ends as `failed`."""
    REFUSE = "refuse"
    """429; no call."""


AutomationValue = Literal[
    "call_id", "call_type", "call_status", "contact_id", "contact_name", "phone_user", "actual_time", "ended_at",
    "duration", "summary", "transcript", "recording_url", "rating", "objectives", "structured_data", "attempt_id",
]  # fmt: skip

DEFAULT_FIELDS: Mapping[AutomationValue, str] = {
    "call_id": "call_id",
    "call_type": "call_type",
    "call_status": "call_status",
    "contact_name": "contact_name",
    "phone_user": "phone_user",
    "actual_time": "actual_time",
    "summary": "call.call_summary",
    "rating": "call.rating",
}


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Automation:
    """A "Call Completed" automation that its user has built."""

    url: str | None = None
    """Where it posts to; None: there is none, and outcomes come by polling."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with each post, such as a token of the receiver's."""
    fields: Mapping[AutomationValue, str] = field(default_factory=lambda: dict(DEFAULT_FIELDS))
    """Value → where it stands in the body, as a dotted path. Values: `call_id`, `call_type`, `call_status`,
    `contact_id`, `contact_name`, `phone_user`, `actual_time`, `ended_at`, `duration`, `summary`, `transcript`,
    `recording_url`, `rating`, `objectives`, `structured_data`, `attempt_id`."""
    statuses: tuple[str, ...] = ()
    """Documented names of the final statuses that set it off; none given: all."""
    runs: Literal["result", "end"] = "result"
    """When the results are there, or as soon as the call is over, without them."""
    retries: Limit = 0
    """Tries after a failed one, `retry_seconds` apart."""
    retry_seconds: Weight = 1.0
    """Real seconds."""


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class VoxworksConfig:
    """One simulated Voxworks team."""

    numbers: tuple[str, ...] = ()
    """The team's own numbers, as given in `from_number`; none given: every number is one."""
    scripts: tuple[str, ...] = ()
    """The ids of the team's scripts; none given: every id is one."""
    foreign_status: Literal[400, 404] = 404
    """The answer when `from_number` or `script_id` is not the team's."""
    country_code: Annotated[str, Field(pattern=r"^[1-9]\d{0,2}$")] = "61"
    """Numbers without `+` that begin with 0 belong to this country. Documented for Australia."""
    objects: Mapping[str, tuple[str, ...]] | None = None
    """The object types that the team has declared, each with its fields; None: any type with any field is taken."""
    undeclared_objects: Literal["refuse", "ignore"] = "refuse"
    """What becomes of a type or field that is not declared: 400, or dropped in silence."""
    unknown_properties: Literal["refuse", "ignore"] = "refuse"
    """What becomes of a property that the create does not have: 400, or dropped in silence."""
    attempt_object: str | None = None
    """`type.field` of the object that carries the client's own key of an attempt, by which the ledger counts."""

    spelling: Spelling = Spelling.DOCUMENTED
    """How status values are written in answers and automations."""
    cancelled_word: Literal["cancelled", "canceled"] = "cancelled"
    """The status of a call that was cancelled."""
    progress: Literal["scheduled", "detailed"] = "scheduled"
    """The status of a call that is not over: `scheduled` throughout, the only one documented, or `ringing` and
    `in-progress` too."""
    field_style: FieldStyle = FieldStyle.SNAKE
    """How the fields of a call are named."""
    result_place: Literal["call", "call.result"] = "call"
    """Where `get-call-result` puts summary, transcript and the like."""
    early_result: Literal["empty", "missing"] = "empty"
    """What `get-call-result` says before there are results: the call without them, or 404."""
    hang_up_share: Share = 0.1
    """Share of answered calls that end as `hang-up`."""
    dispositions: Mapping[str, Weight] = field(default_factory=dict)
    """Words of `structured_data.disposition` of answered calls, by weight; none given: no structured data."""

    schedule_delay: Span = (0.0, 0.0)
    """Real seconds after `scheduled_time` that a call starts."""
    schedule_past: Literal["dial", "refuse"] = "dial"
    """What becomes of a `scheduled_time` that is over: dialed at once, or 400."""
    schedule_horizon: Weight | None = None
    """Seconds; a `scheduled_time` further ahead is refused. None: any."""

    when_full: VoxworksWhenFull = VoxworksWhenFull.QUEUE
    """What a create is answered when `concurrency_limit` calls are live."""
    rate_limit: Count | None = None
    """Requests of any kind in `rate_window`; more are answered 429 with `Retry-After`. None: no limit of its own
    besides `requests_per_minute`, which counts creates."""
    rate_window: Annotated[float, Field(gt=0)] = 60.0
    """Real seconds."""
    retry_after_as: Literal["seconds", "date"] = "seconds"
    """How `Retry-After` is written."""
    automation: Automation = field(default_factory=Automation)
