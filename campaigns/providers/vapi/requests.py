"""The body of `POST /call` for one attempt.

The attempt id is our correlation key and travels three times: as the call's `name`, in `metadata.attemptId`, and as
`customer.externalId` when the campaign gives none. Vapi has no idempotency key.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from campaigns.providers.contract import DialRequest, WebhookTarget

NAME_LIMIT = 40
"""Vapi refuses a longer `name`, `customer.name` or `customer.externalId` with 400; a UUID has 36 characters."""

SERVER_MESSAGES = ("status-update", "end-of-call-report")
"""The two events that we act on. By default Vapi also sends every turn of the conversation."""

WEBHOOK_TIMEOUT_SECONDS = 20
BACKOFF_PLAN: Mapping[str, Any] = MappingProxyType({"type": "exponential", "maxRetries": 5, "baseDelaySeconds": 2})
"""Without a plan Vapi retries no failed webhook. This one spans about a minute, so a restart of our web process."""

_DESTINATION = {"id": "assistantId", "assistantId": "assistantId", "inline": "assistant", "assistant": "assistant",
                "squadId": "squadId", "squad": "squad", "workflowId": "workflowId", "workflow": "workflow"}  # fmt: skip
_OVERRIDES = {"assistant": "assistantOverrides", "squad": "squadOverrides", "workflow": "workflowOverrides"}
_OTHER_KEYS = frozenset({"variables", "overrides", "metadata", "version"})

_VOICEMAIL: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "none": {},
    # A saved assistant may bring a message of its own: the empty one keeps it from being spoken to the machine.
    "hangUp": {"voicemailDetection": {"provider": "vapi"}, "voicemailMessage": ""},
}


class UnusableRequestError(ValueError):
    """The campaign's `assistant` block or voicemail action cannot be sent to Vapi. Says which key, never its value."""


def create_body(request: DialRequest) -> dict[str, Any]:
    """Raises `UnusableRequestError`."""
    destination = _destination(request.assistant)
    family = next(name for name in _OVERRIDES if destination.startswith(name))
    body: dict[str, Any] = {
        "name": str(request.attempt_id),
        "phoneNumberId": request.line,
        "customer": _customer(request),
        "metadata": {**_part(request.assistant, "metadata"), "attemptId": str(request.attempt_id)},
        destination: _destination_value(request.assistant),
    }
    if "version" in request.assistant:
        body["assistantVersion"] = request.assistant["version"]
    if overrides := _overrides(request, family=family):
        body[_OVERRIDES[family]] = overrides
    return body


def encoded(body: Mapping[str, Any]) -> bytes:
    """The body as JSON. Raises `UnusableRequestError` for what YAML can hold and JSON cannot, such as a bare date."""
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise UnusableRequestError("assistant: a value is neither text, number, list nor mapping; quote it") from error


def _part(assistant: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = assistant.get(key) or {}
    if not isinstance(part, Mapping):
        raise UnusableRequestError(f"assistant.{key}: found a {type(part).__name__}; give a mapping")
    return part


def _chosen_key(assistant: Mapping[str, Any]) -> str:
    unknown = sorted(key for key in assistant if key not in _DESTINATION and key not in _OTHER_KEYS)
    if unknown:
        allowed = ", ".join(sorted({*_DESTINATION, *_OTHER_KEYS}))
        raise UnusableRequestError(f"assistant: unknown key {unknown[0]!r}; allowed are {allowed}")
    chosen = [key for key in assistant if key in _DESTINATION]
    if len(chosen) != 1:
        raise UnusableRequestError(f"assistant: give exactly one of id, inline, squadId, squad; found {len(chosen)}")
    return chosen[0]


def _destination(assistant: Mapping[str, Any]) -> str:
    return _DESTINATION[_chosen_key(assistant)]


def _destination_value(assistant: Mapping[str, Any]) -> Any:
    return assistant[_chosen_key(assistant)]


def _customer(request: DialRequest) -> dict[str, str]:
    customer = {"number": request.number, "externalId": (request.external_id or str(request.attempt_id))[:NAME_LIMIT]}
    if request.customer_name:
        customer["name"] = request.customer_name[:NAME_LIMIT]
    return customer


def _overrides(request: DialRequest, *, family: str) -> dict[str, Any]:
    given: dict[str, Any] = dict(_part(request.assistant, "overrides"))
    variables = {**_part(given, "variableValues"), **_part(request.assistant, "variables")}
    if request.customer_name and len(request.customer_name) > NAME_LIMIT:
        variables.setdefault("customerName", request.customer_name)
    if variables:
        given["variableValues"] = variables
    if family == "workflow":
        # Workflows take variables and nothing else; their outcomes come by polling.
        return given
    return {**_voicemail(request.voicemail_action), **given, **_reporting(request.webhook)}


def _voicemail(action: str) -> Mapping[str, Any]:
    if action not in _VOICEMAIL:
        raise UnusableRequestError(f"voicemail: unknown action {action!r}; allowed is hangUp")
    return _VOICEMAIL[action]


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
