"""What Vapi refuses in the bodies of `POST /call` and `POST /assistant`, in its own words where they are known."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from campaigns.simulator.config import SimulatorConfig
from campaigns.simulator.vapi.schema import (
    E164,
    SHORT,
    between,
    missing,
    object_problems,
    server_problems,
    too_long,
    unknown,
)

_LOOSE_NUMBER = re.compile(r"\+?[a-zA-Z0-9]+")

NOT_E164 = (
    "customer.number must be a valid phone number in the E.164 format. "
    "Hot tip, you may be missing the country code (Eg. US: +1)."
)
NO_LINE = "Couldn't Get Phone Number. Need Either `phoneNumberId` Or `phoneNumber`."
NO_ASSISTANT = (
    "Couldn't Get Assistant. Need Either `assistantId`, `assistant`, `squadId`, `squad`, `workflowId` Or `workflow`."
)
NO_CUSTOMER = "Couldn't Get Customer. Need Either `customerId`, `customer` Or `customers`."
NO_SAVED_CUSTOMER = "Couldn't Get Customer. The simulator keeps none; give `customer`."

_ROOT = frozenset(
    {
        "assistantVersion", "transport", "customers", "name", "schedulePlan", "assistantId", "assistant",
        "assistantOverrides", "squadId", "squad", "squadVersion", "squadOverrides", "workflowId", "workflow",
        "workflowOverrides", "phoneNumberId", "phoneNumber", "customerId", "customer", "metadata",
    }
)  # fmt: skip
_WEB_ROOT = frozenset({"assistantId", "assistant", "assistantOverrides", "squadId", "squad", "squadOverrides",
                       "workflowId", "workflow", "workflowOverrides", "name", "metadata", "customer",
                       "roomDeleteOnUserLeaveEnabled"})  # fmt: skip
_CUSTOMER = frozenset({"numberE164CheckEnabled", "extension", "assistantOverrides", "squadOverrides", "number",
                       "sipUri", "name", "email", "externalId"})  # fmt: skip
_ASSISTANT = frozenset(
    {
        "transcriber", "model", "voice", "firstMessage", "firstMessageInterruptionsEnabled", "firstMessageMode",
        "voicemailDetection", "clientMessages", "serverMessages", "maxDurationSeconds", "backgroundSound",
        "modelOutputInMessagesEnabled", "transportConfigurations", "observabilityPlan", "credentials", "hooks",
        "name", "voicemailMessage", "endCallMessage", "endCallPhrases", "compliancePlan", "metadata",
        "backgroundSpeechDenoisingPlan", "analysisPlan", "artifactPlan", "startSpeakingPlan", "stopSpeakingPlan",
        "monitorPlan", "credentialIds", "server", "keypadInputPlan",
    }
)  # fmt: skip
_OVERRIDES = _ASSISTANT | {"tools:append", "variableValues"}
_WORKFLOW_OVERRIDES = frozenset({"variableValues"})
_SQUAD = frozenset({"name", "members", "membersOverrides"})
_WORKFLOW = frozenset(
    {
        "name", "nodes", "edges", "model", "voice", "transcriber", "globalPrompt", "hooks", "server", "credentials",
        "credentialIds", "analysisPlan", "artifactPlan", "backgroundSound", "backgroundSpeechDenoisingPlan",
        "compliancePlan", "keypadInputPlan", "maxDurationSeconds", "monitorPlan", "observabilityPlan",
        "startSpeakingPlan", "stopSpeakingPlan", "voicemailDetection", "voicemailMessage",
    }
)  # fmt: skip
_TWILIO_LINE = frozenset(
    {
        "fallbackDestination", "hooks", "smsEnabled", "twilioPhoneNumber", "twilioAccountSid", "twilioAuthToken",
        "twilioApiKey", "twilioApiSecret", "name", "assistantId", "workflowId", "squadId", "server",
    }
)  # fmt: skip
_SCHEDULE = frozenset({"earliestAt", "latestAt"})

DESTINATIONS = ("assistantId", "assistant", "squadId", "squad", "workflowId", "workflow")

LONGEST_EXTENSION = 10
LONGEST_MESSAGE = 1000
DURATIONS = (10, 43_200)


class Owned(Protocol):
    """What the organisation has at the moment."""

    def has_line(self, line: object) -> bool: ...

    def has_assistant(self, assistant_id: object) -> bool: ...


class Configured:
    """What the configuration names; where it names none, everything."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config

    def has_line(self, line: object) -> bool:
        return isinstance(line, str) and (not self._config.lines or line in self._config.lines)

    def has_assistant(self, assistant_id: object) -> bool:
        return isinstance(assistant_id, str) and (
            not self._config.assistants or assistant_id in self._config.assistants
        )


def problems_of(body: Mapping[str, Any], *, config: SimulatorConfig, owned: Owned | None = None) -> list[str]:
    """Every complaint about a create, none if it is fine. Those about its customers come from `customer_problems`."""
    known = _ROOT if config.vapi.metadata == "accept" else _ROOT - {"metadata"}
    return [*_schema(body, known=known), *_resources(body, owned=owned or Configured(config))]


def web_call_problems(body: Mapping[str, Any], *, owned: Owned) -> list[str]:
    """Every complaint about a call from a browser: it needs an assistant and nothing else."""
    problems = [*_schema(body, known=_WEB_ROOT)]
    return problems if _has_one_destination(body, owned=owned) else [*problems, NO_ASSISTANT]


def assistant_problems(settings: object, *, path: str = "") -> Iterator[str]:
    """Complaints about a saved or an inline assistant; `path` is empty or ends in a dot."""
    yield from _settings_problems(settings, known=_ASSISTANT, path=path)


def customer_problems(customer: object) -> Iterator[str]:
    """Complaints about one customer."""
    if not isinstance(customer, Mapping):
        yield "customer must be an object"
        return
    yield from unknown(customer, known=_CUSTOMER, path="customer.")
    yield from too_long(customer, keys=("name", "externalId", "email"), path="customer.")
    yield from too_long(customer, keys=("extension",), path="customer.", most=LONGEST_EXTENSION)
    for key in ("assistantOverrides", "squadOverrides"):
        yield from _settings_problems(customer.get(key), known=_OVERRIDES, path=f"customer.{key}.")
    number = customer.get("number")
    pattern = _LOOSE_NUMBER if customer.get("numberE164CheckEnabled", True) is False else E164
    if number is None and isinstance(customer.get("sipUri"), str):
        return
    if not (isinstance(number, str) and len(number) <= SHORT and pattern.fullmatch(number)):
        yield NOT_E164


def _schema(body: Mapping[str, Any], *, known: frozenset[str]) -> Iterator[str]:
    yield from unknown(body, known=known, path="")
    yield from too_long(body, keys=("name",), path="")
    for key in ("assistantOverrides", "squadOverrides"):
        yield from _settings_problems(body.get(key), known=_OVERRIDES, path=f"{key}.")
    yield from assistant_problems(body.get("assistant"), path="assistant.")
    yield from object_problems(body.get("workflowOverrides"), known=_WORKFLOW_OVERRIDES, path="workflowOverrides.")
    yield from object_problems(body.get("squad"), known=_SQUAD, path="squad.")
    yield from object_problems(body.get("workflow"), known=_WORKFLOW, path="workflow.")
    yield from object_problems(body.get("schedulePlan"), known=_SCHEDULE, path="schedulePlan.")
    yield from _inline_line_problems(body.get("phoneNumber"))


def _settings_problems(settings: object, *, known: frozenset[str], path: str) -> Iterator[str]:
    """What assistants and overrides have in common. Models and voices are looked at no further than their provider."""
    yield from object_problems(settings, known=known, path=path)
    if not isinstance(settings, Mapping):
        return
    yield from too_long(settings, keys=("name",), path=path)
    yield from too_long(settings, keys=("voicemailMessage", "endCallMessage"), path=path, most=LONGEST_MESSAGE)
    yield from between(settings, key="maxDurationSeconds", lowest=DURATIONS[0], highest=DURATIONS[1], path=path)
    yield from server_problems(settings.get("server"), path=f"{path}server.")
    for key in ("model", "voice", "transcriber"):
        if isinstance(settings.get(key), Mapping):
            yield from missing(settings[key], keys=("provider",), path=f"{path}{key}.")
        elif settings.get(key) is not None:
            yield f"{path}{key} must be an object"


def _inline_line_problems(line: object) -> Iterator[str]:
    yield from object_problems(line, known=_TWILIO_LINE, path="phoneNumber.")
    if isinstance(line, Mapping):
        yield from missing(line, keys=("twilioPhoneNumber", "twilioAccountSid"), path="phoneNumber.")


def _resources(body: Mapping[str, Any], *, owned: Owned) -> Iterator[str]:
    if not _has_one_destination(body, owned=owned):
        yield NO_ASSISTANT
    if not owned.has_line(body.get("phoneNumberId")) and not isinstance(body.get("phoneNumber"), Mapping):
        yield NO_LINE
    if sum(key in body for key in ("customer", "customers", "customerId")) != 1:
        yield NO_CUSTOMER
    elif "customerId" in body:
        yield NO_SAVED_CUSTOMER


def _has_one_destination(body: Mapping[str, Any], *, owned: Owned) -> bool:
    given = [key for key in DESTINATIONS if key in body]
    return len(given) == 1 and (given != ["assistantId"] or owned.has_assistant(body["assistantId"]))
