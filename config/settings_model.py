"""The settings of one installation: what `ringfence.toml` and the environment may say.

Keys of the file are camelCase, as in campaign files. A secret is never in the file: the file names the environment
variable or the file that holds it.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from campaigns.definition.durations import parse_duration


class ProviderKind(StrEnum):
    """The voice providers an account may be at."""

    VAPI = "vapi"
    COGNIGY = "cognigy"
    VOXWORKS = "voxworks"


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


WEBHOOK_FIELDS = ("callId", "status", "callType", "phone", "endedAt", "duration", "summary", "transcript",
                  "recordingUrl", "answers", "objectives", "attemptId")  # fmt: skip
"""What can be read from a webhook whose body its user has put together."""


def _webhook_field(name: str) -> str:
    if name not in WEBHOOK_FIELDS:
        raise ValueError(f"is no value of a webhook; allowed are {', '.join(WEBHOOK_FIELDS)}")
    return name


WebhookField = Annotated[str, AfterValidator(_webhook_field)]

Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""A duration written as in campaign files: `90s`, `10m`, `2h`."""


class SettingsModel(BaseModel):
    """camelCase in the file, snake_case in code; an unknown key is an error."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=False, extra="forbid", frozen=True, hide_input_in_errors=True
    )


class AccountSettings(SettingsModel):
    """One set of credentials at a provider, and its limits."""

    provider: ProviderKind
    base_url: str
    """Where the provider's API is, such as https://api.vapi.ai; of a simulator account, a loopback address."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the API key."""
    api_key_file: Path | None = None
    """Or the file that holds it."""
    public_key_env: str | None = None
    """Vapi only: name of the environment variable that holds the public key, for calls in a browser."""
    public_key_file: Path | None = None
    """Or the file that holds it."""
    webhook_secret_env: str | None = None
    """Name of the environment variable that holds the secret by which the provider signs its webhooks."""
    webhook_secret_file: Path | None = None
    """Or the file that holds it."""
    webhook_auth: Literal["token", "both"] | None = None
    """What a webhook of a campaign must prove: its token, or its token and the account's signature. Without this key:
    both where there is a secret and the provider signs, else the token."""
    account_sid: str | None = Field(default=None, min_length=1)
    """Cognigy only, and needed there: the account's id, which is part of every address."""
    notify_url: bool = True
    """Cognigy only. False: the gateway does not know `notifyUrl` (before 4.97, or any other jambonz) and refuses calls
    that carry it; then the application's own status hook has to point here."""
    concurrency: int = Field(ge=1)
    """Most calls of ours in flight at once."""
    calls_per_second: float = Field(gt=0, le=10_000)
    """Most dials in any rolling second; rates below 1 work. More than the upper bound is a slip of the pen: ten times
    what one machine dials."""
    simulator: bool = False
    """Only a simulator account may run on a clock that is not the real one, and dial 555-01XX numbers."""
    webhooks: bool = True
    """False: outcomes come by polling alone. Voxworks starts with false: only an automation of the team's own reports
    anything there."""
    webhook_fields: Mapping[WebhookField, str] = Field(default_factory=dict)
    """Voxworks only: where the body of that automation holds what, as dotted paths."""
    attempt_object: str | None = Field(default=None, pattern=r"^[^.\s]+\.[^.\s]+$")
    """Voxworks only: `type.field` of an object type declared there, in which our attempt id travels."""
    reconcile_after: tuple[Duration, ...] = (timedelta(seconds=30), timedelta(minutes=5))
    """When a dial of unknown fate is looked up at the provider, counted from the dial. Absence needs two looks: a
    provider may list a call late."""
    ring_timeout: Duration = timedelta(seconds=60)
    """Longest time a phone rings at this provider."""
    max_duration: Duration = timedelta(minutes=10)
    """Longest call at this provider; what is silent for longer is looked up."""
    paused: bool = False
    """Start with nothing dialed on this account until somebody starts it."""

    @model_validator(mode="before")
    @classmethod
    def _webhooks_where_there_are_some(cls, told: Any) -> Any:
        if isinstance(told, Mapping) and told.get("provider") == ProviderKind.VOXWORKS.value:
            return {"webhooks": False, **told}
        return told

    @field_validator("base_url")
    @classmethod
    def _http_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError("is no plain web address; write one such as https://api.example.com")
        return value.rstrip("/")

    @field_validator("reconcile_after")
    @classmethod
    def _two_rising_looks(cls, value: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        if len(value) != 2 or value[1] <= value[0]:
            raise ValueError('needs exactly two rising durations, such as ["30s", "5m"]')
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.simulator and not is_loopback(self.base_url):
            raise ValueError(
                "simulator = true, and baseUrl is not on this machine; "
                "a simulator's address is http://127.0.0.1:PORT, and a real provider's account has no simulator key"
            )
        if not self.simulator and not (self.api_key_env or self.api_key_file):
            raise ValueError("has no credential; set apiKeyEnv to the name of the environment variable that holds it")
        if self.api_key_env and self.api_key_file:
            raise ValueError("has both apiKeyEnv and apiKeyFile; keep one")
        if self.provider is not ProviderKind.VOXWORKS and (self.webhook_fields or self.attempt_object):
            raise ValueError("has webhookFields or attemptObject, which belong to voxworks alone; leave them out")
        if self.webhook_secret_env and self.webhook_secret_file:
            raise ValueError("has both webhookSecretEnv and webhookSecretFile; keep one")
        if self.webhook_auth == "both" and not (self.webhook_secret_env or self.webhook_secret_file):
            raise ValueError(
                'webhookAuth = "both", and no secret to prove a signature by; set webhookSecretEnv to the name of the '
                "environment variable that holds it"
            )
        return self

    @model_validator(mode="after")
    def _what_is_cognigys(self) -> Self:
        if self.provider is not ProviderKind.COGNIGY:
            if self.account_sid or not self.notify_url:
                raise ValueError("has accountSid or notifyUrl, which belong to cognigy alone; leave them out")
            return self
        if not self.account_sid:
            raise ValueError("has no accountSid; set it to the account's id, as the gateway's portal shows it")
        if urlsplit(self.base_url).path.rstrip("/").endswith("/v1"):
            raise ValueError("baseUrl ends in /v1, which Ringfence adds by itself; leave it out")
        return self


SHORTEST_RECEIPTS = timedelta(days=2)
"""A receipt that nobody could place is tried for a day, and by what is kept a second delivery is known."""


class RetentionSettings(SettingsModel):
    """How long what is not the record itself is kept."""

    conversations: Duration = timedelta(days=30)
    """Transcript, summary, recording link and cost breakdown of an attempt; `0d`: never written down."""
    webhooks: Duration = timedelta(days=30)
    """Webhooks that were acted upon; what they changed stays."""

    @field_validator("webhooks")
    @classmethod
    def _long_enough(cls, value: timedelta) -> timedelta:
        if value < SHORTEST_RECEIPTS:
            raise ValueError("is too short to know a second delivery; at least 2d")
        return value


MOST_TEST_NUMBERS = 10
"""A short list that its owner knows by heart; a longer one would be a campaign without its consents."""
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


class SettingsFile(SettingsModel):
    """What `ringfence.toml` may say. `accounts` is keyed by the account's name."""

    public_url: str | None = None
    """Where providers reach our webhooks; None: outcomes come by polling."""
    role: Literal["viewer", "operator", "compliance"] = "viewer"
    """What the commands show of people: see docs/conversations.md."""
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    test_numbers: tuple[str, ...] = ()
    """Phones of your own that `ringfence test-call` may ring, such as ["+12025550123"]; an entry is their consent."""
    accounts: Mapping[str, AccountSettings] = Field(default_factory=dict)

    @field_validator("test_numbers")
    @classmethod
    def _few_numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > MOST_TEST_NUMBERS:
            raise ValueError(f"has {len(value)} numbers; at most {MOST_TEST_NUMBERS}, each a phone of your own")
        if not all(_E164.fullmatch(number) for number in value):
            raise ValueError('has a number that is not written as in "+12025550123": +, country code, digits')
        return value

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
            raise ValueError("is no web address; write one such as https://calls.example.com")
        return value.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether the address can only be on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name: it may point anywhere
        return False
