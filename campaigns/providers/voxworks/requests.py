"""The body of `POST /api/v1/create-phone-call` for one attempt.

There is no field for our attempt id, no idempotency key, and `objects` must be of types that the team has declared.
A team that declared a type with a text field for it names both in the account's `attemptObject`; then the id travels
there, and an automation can send it back.

The contact is created or overwritten by phone number: the names we send appear in the team's contacts.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from campaigns.providers.contract import DialRequest

KEYS = frozenset({"scriptId", "objects", "variables"})
"""What an `assistant` block may hold here; `variables` is always there, and has to be empty."""

VOICEMAIL_ACTIONS = frozenset({"", "none"})
"""What is said to a machine is in the script, and no field of a call changes it."""


class UnusableRequestError(ValueError):
    """The campaign's `assistant` block or voicemail action cannot be sent. Says which key, never its value."""


def create_body(request: DialRequest, *, attempt_object: str | None = None) -> bytes:
    """`attempt_object`: `type.field`, where our attempt id goes. Raises `UnusableRequestError`."""
    _check(request)
    body: dict[str, Any] = {
        "from_number": request.line,
        "script_id": request.assistant["scriptId"],
        "contact": {"phone_number": request.number, **_names(request.customer_name)},
    }
    if objects := _objects(request.assistant.get("objects"), request.attempt_id, attempt_object=attempt_object):
        body["objects"] = objects
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise UnusableRequestError("assistant: a value is neither text, number, list nor mapping; quote it") from error


def _check(request: DialRequest) -> None:
    if unknown := sorted(set(request.assistant) - KEYS):
        raise UnusableRequestError(f"assistant: unknown key {unknown[0]!r}; allowed are objects, scriptId")
    script_id = request.assistant.get("scriptId")
    if not isinstance(script_id, str) or not script_id:
        raise UnusableRequestError("assistant.scriptId: give the id of the script that speaks")
    if request.assistant.get("variables"):
        raise UnusableRequestError("assistant.variables: Voxworks has none; put what the script is told into objects")
    if request.voicemail_action not in VOICEMAIL_ACTIONS:
        raise UnusableRequestError("voicemail: at Voxworks the script decides what a machine hears; leave it out")


def _names(name: str | None) -> dict[str, str]:
    """The first word and all the others: an overwritten contact is to look as the list has it."""
    first, _, last = (name or "").strip().partition(" ")
    return {key: part for key, part in (("first_name", first), ("last_name", last.strip())) if part}


def _objects(given: object, attempt_id: UUID, *, attempt_object: str | None) -> dict[str, dict[str, Any]]:
    objects = {kind: _fields(kind, fields) for kind, fields in _mapping("assistant.objects", given or {}).items()}
    if attempt_object is not None:
        kind, _, field = attempt_object.partition(".")
        objects[kind] = {**objects.get(kind, {}), field: str(attempt_id)}
    return objects


def _fields(kind: str, fields: object) -> dict[str, Any]:
    return dict(_mapping(f"assistant.objects.{kind}", fields))


def _mapping(path: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnusableRequestError(f"{path}: found a {type(value).__name__}; give a mapping")
    return value
