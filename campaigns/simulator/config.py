"""Everything the simulator can be told, field by field.

The same names are used by `POST /simulator/config`, by a `--config` file (JSON) and by `--set faults.stuck=0.01`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from campaigns.simulator.fields import STRICT, ConfigError, Count, FaultStatus, Limit, Share, Span, Weight
from campaigns.simulator.jambonz.config import JambonzConfig
from campaigns.simulator.vapi.config import VapiConfig
from campaigns.simulator.voxworks.config import VoxworksConfig

OutcomeName = Literal[
    "answered", "voicemail", "no_answer", "busy", "rejected",
    "invalid_number", "provider_error", "pipeline_error", "config_error",
]  # fmt: skip

OUTCOMES: tuple[OutcomeName, ...] = get_args(OutcomeName)
FAULTS = ("timeout_after_accept", "late_answer", "reset_before_accept", "reset_after_accept", "error_before_accept",
          "error_after_accept", "rate_limited", "missing_id", "stuck")  # fmt: skip


class WhenFull(StrEnum):
    """What a create is answered when `concurrency_limit` calls are live. Vapi's own pages tell all four."""

    REFUSE = "refuse"
    """400 `Over Concurrency Limit`; no call."""
    QUEUE = "queue"
    """201, and the call stays `queued` until a slot is free."""
    BLOCK = "block"
    """201 with `concurrencyBlocked: true` and no id; no call."""
    END = "end"
    """201, and the call ends at once with `call.start.error-subscription-concurrency-limit-reached`."""


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Rates:
    """How often a call comes to what. Shares of their sum, so they need not add up to one."""

    answered: Weight = 0.40
    """A person talks for `talk`."""
    voicemail: Weight = 0.24
    """A machine picks up, for `voicemail_talk`."""
    no_answer: Weight = 0.20
    """It rings for `ring_timeout`, or for as long as the create says."""
    busy: Weight = 0.06
    """Rings for `ring`, then the line is busy."""
    rejected: Weight = 0.02
    """Rings for `ring`, then the person declines."""
    invalid_number: Weight = 0.03
    """Nobody has this number; ends before any phone rings."""
    provider_error: Weight = 0.03
    """The provider's own fault; ends before the phone rings."""
    pipeline_error: Weight = 0.01
    """The person picks up and hears silence."""
    config_error: Weight = 0.0
    """The account or the assistant is set up wrongly; ends before the phone rings."""

    @model_validator(mode="after")
    def _some_outcome(self) -> Self:
        if not any(getattr(self, name) for name in OUTCOMES):
            raise ValueError("give at least one share above 0")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Faults:
    """Share of creates (0 to 1) that meet each fault; at most one fault a create."""

    timeout_after_accept: Share = 0.0
    """The call exists and the create is never answered."""
    late_answer: Share = 0.0
    """The call exists and the create is answered after `late_answer_seconds`."""
    reset_before_accept: Share = 0.0
    """The connection is reset; no call."""
    reset_after_accept: Share = 0.0
    """The connection is reset; the call exists."""
    error_before_accept: Share = 0.0
    """`error_before_accept_status`; no call."""
    error_after_accept: Share = 0.0
    """`error_after_accept_status`; the call exists."""
    rate_limited: Share = 0.0
    """429 with `Retry-After: retry_after_seconds`; no call."""
    missing_id: Share = 0.0
    """A 2xx without an id; the call exists."""
    stuck: Share = 0.0
    """The call is created, answered 201 and never gets further than `stuck_at`."""
    late_answer_seconds: Weight = 30.0
    """Real seconds until `late_answer` is answered."""
    retry_after_seconds: Limit = 1
    """What `rate_limited` asks for."""
    error_before_accept_status: FaultStatus = 500
    """What `error_before_accept` answers: a status that leaves open whether there is a call."""
    error_after_accept_status: FaultStatus = 502
    """What `error_after_accept` answers: likewise."""
    stuck_at: Literal["queued", "ringing", "in-progress"] = "queued"
    """Where `stuck` calls stay for ever, holding their slot."""

    @model_validator(mode="after")
    def _one_fault_a_create(self) -> Self:
        if (total := sum(getattr(self, name) for name in FAULTS)) > 1:
            raise ValueError(f"the shares add up to {total:g}; give at most 1 in all")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Webhooks:
    """Delivery of reports. Rates are shares (0 to 1) of events; delays are real seconds, not sped up."""

    enabled: bool = True
    """False: none is sent, and outcomes come by polling."""
    delay: Span = (0.0, 0.0)
    """From the event to its delivery."""
    lost: Share = 0.0
    """Never sent."""
    duplicated: Share = 0.0
    """Sent twice."""
    reordered: Share = 0.0
    """Held back for `reorder_seconds`, so that later events overtake it."""
    reorder_seconds: Weight = 1.0
    """How long `reordered` ones are held back."""
    concurrency: Count = 64
    """Deliveries under way at one time."""
    queue_limit: Limit = 200_000
    """Events waiting for delivery; more are dropped, and counted as `dropped`."""


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class SimulatorConfig:
    """One simulated account at each provider. What stands here goes for all of them, unless it says otherwise."""

    host: str = "127.0.0.1"
    """Loopback unless told otherwise: the simulator has no protection of its own."""
    port: int = 0
    """0: any free port."""
    seed: int = 1
    """What a call comes to depends on this, its number and how many calls that number had; never on timing."""
    api_key: str | None = None
    """Expected as `Authorization: Bearer …`; None accepts any key, but not a missing one."""
    speed: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Ring times, conversations and report delays are divided by this: 100 turns 90 s into 0.9 s."""
    answer_latency: Span = (0.0, 0.0)
    """Real seconds between accepting a create and answering it."""
    queued: Span = (0.1, 0.5)
    """From the create to the first ring."""
    ring: Span = (4.0, 20.0)
    """How long it rings before somebody or something picks up, or refuses."""
    ring_timeout: Weight = 30.0
    """How long it rings when nobody picks up."""
    talk: Span = (15.0, 120.0)
    """How long a person talks."""
    voicemail_talk: Span = (5.0, 12.0)
    """How long a machine is talked to, or a silent line listened to."""
    report_delay: Span = (1.0, 4.0)
    """From the end of a call to its report, result or call record."""
    rates: Rates = field(default_factory=Rates)
    scripted: Mapping[str, Annotated[tuple[OutcomeName, ...], Field(min_length=1)]] = field(default_factory=dict)
    """Number → outcomes (names of `rates`) of its first, second … call; the last one repeats. Goes before `rates`."""
    faults: Faults = field(default_factory=Faults)
    webhooks: Webhooks = field(default_factory=Webhooks)
    concurrency_limit: Limit | None = None
    """Calls that each provider's account may have live at one time; None: no limit."""
    when_full: WhenFull = WhenFull.REFUSE
    """Vapi only: the others have a switch of their own."""
    requests_per_minute: Limit | None = None
    """More creates at one provider in one UTC minute are answered 429."""
    line_daily_limit: Limit | None = None
    """Vapi only: more calls from one line in one UTC day are refused, as those of free numbers are."""
    lines: tuple[str, ...] = ()
    """Vapi only: the phoneNumberIds there are; none given: every id is one."""
    assistants: tuple[str, ...] = ()
    """Vapi only: the assistantIds there are; none given: every id is one."""
    clock_offset: float = 0.0
    """Seconds by which the provider's clock (`Date`, `createdAt` …) is ahead of ours."""
    log_path: str | None = None
    """Append one JSON line per create, status and webhook. Holds numbers: for tests."""
    vapi: VapiConfig = field(default_factory=VapiConfig)
    jambonz: JambonzConfig = field(default_factory=JambonzConfig)
    voxworks: VoxworksConfig = field(default_factory=VoxworksConfig)


def changed(config: SimulatorConfig, document: Mapping[str, Any]) -> SimulatorConfig:
    """A copy with the fields of `document` replaced, part by part. Raises `ConfigError`."""
    if not isinstance(document, Mapping):
        raise ConfigError("config: give an object of switches")
    _refuse_unknown(config, document, place="")
    try:
        return SimulatorConfig(**_merged(config, document))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "config"
        raise ConfigError(f"{place}: found {first['input']!r}; {first['msg']}") from None


def _refuse_unknown(part: Any, new: Mapping[str, Any], *, place: str) -> None:
    known = [each.name for each in dataclasses.fields(part)]
    for key, value in new.items():
        if key not in known:
            nearest = next(iter(get_close_matches(str(key), known)), None)
            hint = f"did you mean {place}{nearest}?" if nearest else f"there are {', '.join(sorted(known))}"
            raise ConfigError(f"{place}{key}: there is no such switch; {hint}")
        inner = getattr(part, key)
        if dataclasses.is_dataclass(inner) and isinstance(value, Mapping):
            _refuse_unknown(inner, value, place=f"{place}{key}.")


def _merged(part: Any, new: Mapping[str, Any]) -> dict[str, Any]:
    """Parts are merged, values replaced; a mapping that is no part, such as `scripted`, is a value."""
    old = {each.name: getattr(part, each.name) for each in dataclasses.fields(part)}
    return old | {key: _merged_value(old.get(key), value) for key, value in new.items()}


def _merged_value(old: Any, new: Any) -> Any:
    return _merged(old, new) if dataclasses.is_dataclass(old) and isinstance(new, Mapping) else new
