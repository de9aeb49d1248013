"""What Vapi refuses in the body of `POST /call`, in its own words where they are known."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from campaigns.simulator.config import SimulatorConfig

SHORT = 40
"""Longest `name`, `customer.name`, `customer.externalId`, `customer.email`."""

_E164 = re.compile(r"\+[1-9]\d{6,14}")
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

_ROOT = frozenset(
    {
        "assistantVersion", "transport", "customers", "name", "schedulePlan", "assistantId", "assistant",
        "assistantOverrides", "squadId", "squad", "squadVersion", "squadOverrides", "workflowId", "workflow",
        "workflowOverrides", "phoneNumberId", "phoneNumber", "customerId", "customer", "metadata",
    }
)  # fmt: skip
_CUSTOMER = frozenset({"numberE164CheckEnabled", "extension", "assistantOverrides", "squadOverrides", "number",
                       "sipUri", "name", "email", "externalId"})  # fmt: skip
_OVERRIDES = frozenset(
    {
        "transcriber", "model", "voice", "firstMessage", "firstMessageInterruptionsEnabled", "firstMessageMode",
        "voicemailDetection", "clientMessages", "serverMessages", "maxDurationSeconds", "backgroundSound",
        "modelOutputInMessagesEnabled", "transportConfigurations", "observabilityPlan", "credentials", "hooks",
        "tools:append", "variableValues", "name", "voicemailMessage", "endCallMessage", "endCallPhrases",
        "compliancePlan", "metadata", "backgroundSpeechDenoisingPlan", "analysisPlan", "artifactPlan",
        "startSpeakingPlan", "stopSpeakingPlan", "monitorPlan", "credentialIds", "server", "keypadInputPlan",
    }
)  # fmt: skip
_SERVER = frozenset({"timeoutSeconds", "credentialId", "staticIpAddressesEnabled", "encryptedPaths", "url", "headers",
                     "backoffPlan"})  # fmt: skip
_BACKOFF = frozenset({"type", "maxRetries", "baseDelaySeconds", "excludedStatusCodes"})
_SCHEDULE = frozenset({"earliestAt", "latestAt"})

DESTINATIONS = ("assistantId", "assistant", "squadId", "squad", "workflowId", "workflow")


def problems_of(body: Mapping[str, Any], *, config: SimulatorConfig) -> list[str]:
    """Every complaint about a create, none if it is fine."""
    return [*_schema(body), *_resources(body, config=config)]


def _schema(body: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown(body, known=_ROOT, path="")
    yield from _too_long(body, keys=("name",), path="")
    for key in ("assistantOverrides", "squadOverrides"):
        yield from _overrides(body.get(key), path=f"{key}.")
    yield from _object(body.get("schedulePlan"), known=_SCHEDULE, path="schedulePlan.")
    if isinstance(body.get("schedulePlan"), Mapping) and "earliestAt" not in body["schedulePlan"]:
        yield "schedulePlan.earliestAt must be a valid ISO 8601 date string"


def _overrides(overrides: object, *, path: str) -> Iterator[str]:
    yield from _object(overrides, known=_OVERRIDES, path=path)
    server = overrides.get("server") if isinstance(overrides, Mapping) else None
    yield from _object(server, known=_SERVER, path=f"{path}server.")
    plan = server.get("backoffPlan") if isinstance(server, Mapping) else None
    yield from _object(plan, known=_BACKOFF, path=f"{path}server.backoffPlan.")


def customer_problems(customer: object) -> Iterator[str]:
    """Complaints about one customer."""
    if not isinstance(customer, Mapping):
        yield "customer must be an object"
        return
    yield from _unknown(customer, known=_CUSTOMER, path="customer.")
    yield from _too_long(customer, keys=("name", "externalId", "email"), path="customer.")
    yield from _overrides(customer.get("assistantOverrides"), path="customer.assistantOverrides.")
    number = customer.get("number")
    pattern = _E164 if customer.get("numberE164CheckEnabled", True) else _LOOSE_NUMBER
    if "sipUri" not in customer and not (isinstance(number, str) and pattern.fullmatch(number)):
        yield NOT_E164


def _resources(body: Mapping[str, Any], *, config: SimulatorConfig) -> Iterator[str]:
    if sum(key in body for key in DESTINATIONS) != 1 or not _known(body.get("assistantId"), among=config.assistants):
        yield NO_ASSISTANT
    has_line = isinstance(body.get("phoneNumberId"), str) and _known(body["phoneNumberId"], among=config.lines)
    if not has_line and not isinstance(body.get("phoneNumber"), Mapping):
        yield NO_LINE
    if sum(key in body for key in ("customer", "customers", "customerId")) != 1:
        yield NO_CUSTOMER


def _known(resource_id: object, *, among: tuple[str, ...]) -> bool:
    return resource_id is None or not among or resource_id in among


def _object(value: object, *, known: frozenset[str], path: str) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield f"{path.rstrip('.')} must be an object"
        return
    yield from _unknown(value, known=known, path=path)


def _unknown(value: Mapping[str, Any], *, known: frozenset[str], path: str) -> Iterator[str]:
    for key in value:
        if key not in known:
            yield f"{path}property {key} should not exist"


def _too_long(value: Mapping[str, Any], *, keys: Iterable[str], path: str) -> Iterator[str]:
    for key in keys:
        text = value.get(key)
        if text is not None and (not isinstance(text, str) or len(text) > SHORT):
            yield f"{path}{key} must be shorter than or equal to {SHORT} characters"
