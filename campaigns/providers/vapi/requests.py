"""The body of `POST /call` for one attempt: the one place that decides what is sent, and only what is configured.

The attempt id is our correlation key and travels three times: as the call's `name`, in `metadata.attemptId`, and as
`customer.externalId` when the campaign gives none. Vapi has no idempotency key.

| campaign file                          | body                                                                     |
|----------------------------------------|--------------------------------------------------------------------------|
| assistant.id, inline                   | `assistantId`, `assistant`                                               |
| assistant.squadId, squad               | `squadId`, `squad`                                                       |
| assistant.workflowId, workflow         | `workflowId`, `workflow`                                                 |
| assistant.version                      | `assistantVersion` or `squadVersion`, by what is saved                   |
| assistant.variables                    | `<family>Overrides.variableValues`                                       |
| assistant.overrides, customer.…        | `<family>Overrides`; what is the customer's own lies on top              |
| assistant.metadata                     | `metadata`, with our `attemptId`                                         |
| assistant.customer                     | `customer.extension`, `.email`, `.sipUri`, `.numberE164CheckEnabled`     |
| assistant.transport                    | `transport`                                                              |
| voicemail                              | `<family>Overrides.voicemailDetection`, `.voicemailMessage`              |
| the campaign's line, the list's row    | `phoneNumberId`; `customer.number`, `.name`, `.externalId`               |
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from campaigns.providers.contract import DialRequest, WebhookTarget
from campaigns.providers.vapi.customers import NAME_LIMIT, customer_part
from campaigns.providers.vapi.unusable import UnusableRequestError, part_of

SERVER_MESSAGES = ("status-update", "end-of-call-report")
"""The two events that we act on. By default Vapi also sends every turn of the conversation."""

WEBHOOK_TIMEOUT_SECONDS = 20
BACKOFF_PLAN: Mapping[str, Any] = MappingProxyType({"type": "exponential", "maxRetries": 5, "baseDelaySeconds": 2})
"""Without a plan Vapi retries no failed webhook. This one spans about a minute, so a restart of our web process."""

_DESTINATION = {"id": "assistantId", "assistantId": "assistantId", "inline": "assistant", "assistant": "assistant",
                "squadId": "squadId", "squad": "squad", "workflowId": "workflowId", "workflow": "workflow"}  # fmt: skip
_OVERRIDES = {"assistant": "assistantOverrides", "squad": "squadOverrides", "workflow": "workflowOverrides"}
_VERSION = {"assistantId": "assistantVersion", "squadId": "squadVersion"}
_OTHER_KEYS = frozenset({"variables", "overrides", "metadata", "version", "customer", "transport"})

_DETECTION: Mapping[str, Any] = MappingProxyType({"provider": "vapi"})
NO_ACTION = ("", "none")


def create_body(request: DialRequest) -> dict[str, Any]:
    """Raises `UnusableRequestError`: a setting is wrong; `UnusableCustomerError`: a value of this customer is."""
    assistant = request.assistant
    body: dict[str, Any] = {
        "name": str(request.attempt_id),
        "phoneNumberId": request.line,
        "customer": customer_part(request),
        "metadata": {**part_of(assistant, "metadata"), "attemptId": str(request.attempt_id)},
        **assistant_part(assistant, ours=_ours(request), variables=_own_variables(request)),
    }
    if transport := part_of(assistant, "transport"):
        body["transport"] = dict(transport)
    return body


def assistant_part(
    assistant: Mapping[str, Any],
    *,
    ours: Mapping[str, Any] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Who speaks, and what is laid over it. `ours`: what the campaign and we want of every assistant or squad;
    `variables`: those the campaign may overwrite. Raises `UnusableRequestError`."""
    key = _chosen_key(assistant)
    destination = _DESTINATION[key]
    family = next(name for name in _OVERRIDES if destination.startswith(name))
    part: dict[str, Any] = {destination: assistant[key]}
    if "version" in assistant:
        part[_version_key(destination)] = str(assistant["version"])
    if overrides := _overrides(assistant, family=family, ours=ours or {}, variables=variables or {}):
        part[_OVERRIDES[family]] = overrides
    return part


def encoded(body: Mapping[str, Any]) -> bytes:
    """The body as JSON. Raises `UnusableRequestError` for what YAML can hold and JSON cannot, such as a bare date."""
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise UnusableRequestError("assistant: a value is neither text, number, list nor mapping; quote it") from error


def _chosen_key(assistant: Mapping[str, Any]) -> str:
    unknown = sorted(key for key in assistant if key not in _DESTINATION and key not in _OTHER_KEYS)
    if unknown:
        allowed = ", ".join(sorted({*_DESTINATION, *_OTHER_KEYS}))
        raise UnusableRequestError(f"assistant: unknown key {unknown[0]!r}; allowed are {allowed}")
    chosen = [key for key in assistant if key in _DESTINATION]
    if len(chosen) != 1:
        raise UnusableRequestError(f"assistant: give exactly one of id, inline, squadId, squad; found {len(chosen)}")
    return chosen[0]


def _version_key(destination: str) -> str:
    if destination not in _VERSION:
        raise UnusableRequestError("assistant.version: only a saved assistant (id) or squad (squadId) has versions")
    return _VERSION[destination]


def _overrides(
    assistant: Mapping[str, Any], *, family: str, ours: Mapping[str, Any], variables: Mapping[str, Any]
) -> dict[str, Any]:
    """The customer's own overrides are laid over the campaign's here: Vapi would put them in the place of all others,
    and with them of the server that reports to us."""
    general = part_of(assistant, "overrides")
    own = part_of(part_of(assistant, "customer"), "assistantOverrides", path="assistant.customer")
    values = {
        **variables,
        **part_of(general, "variableValues", path="assistant.overrides"),
        **part_of(own, "variableValues", path="assistant.customer.assistantOverrides"),
        **part_of(assistant, "variables"),
    }
    told = {"variableValues": values} if values else {}
    if family == "workflow":
        _require_variables_alone({*general, *own})
        return told
    return {**_defaults(ours), **general, **own, **told, **_last_words(ours)}


def _require_variables_alone(given: set[str]) -> None:
    if others := sorted(given - {"variableValues"}):
        raise UnusableRequestError(f"assistant.overrides.{others[0]}: a workflow takes variableValues and nothing else")


def _defaults(ours: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the campaign's own overrides may replace: another detector of machines, say."""
    return {key: value for key, value in ours.items() if key == "voicemailDetection"}


def _last_words(ours: Mapping[str, Any]) -> Mapping[str, Any]:
    """What holds whatever the campaign's overrides say."""
    return {key: value for key, value in ours.items() if key != "voicemailDetection"}


def _ours(request: DialRequest) -> dict[str, Any]:
    voicemail = _voicemail(request)
    if voicemail and _DESTINATION[_chosen_key(request.assistant)].startswith("workflow"):
        raise UnusableRequestError("voicemail: a workflow takes no such setting; set it in the workflow itself")
    return {**voicemail, **_reporting(request.webhook)}


def _voicemail(request: DialRequest) -> Mapping[str, Any]:
    """A saved assistant may bring a message of its own: the empty one keeps it from being spoken to the machine."""
    match request.voicemail_action:
        case action if action in NO_ACTION:
            return {}
        case "hangUp":
            return {"voicemailDetection": dict(_DETECTION), "voicemailMessage": ""}
        case "leaveMessage" if request.voicemail_message:
            return {"voicemailDetection": dict(_DETECTION), "voicemailMessage": request.voicemail_message}
        case "leaveMessage":
            raise UnusableRequestError("voicemail: leaveMessage without a message to leave")
        case action:
            raise UnusableRequestError(f"voicemail: unknown action {action!r}; allowed are hangUp, leaveMessage")


def _own_variables(request: DialRequest) -> Mapping[str, Any]:
    """A name that is cut for Vapi's own field is whole for the assistant."""
    name = request.customer_name
    return {"customerName": name} if name and len(name) > NAME_LIMIT else {}


def _reporting(webhook: WebhookTarget | None) -> dict[str, Any]:
    if webhook is None:
        return {}
    server = {
        "url": webhook.url,
        "headers": dict(webhook.headers),
        "timeoutSeconds": WEBHOOK_TIMEOUT_SECONDS,
        "backoffPlan": dict(BACKOFF_PLAN),
    }
    return {"server": server, "serverMessages": list(SERVER_MESSAGES)}
