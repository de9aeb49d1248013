"""What Voxworks refuses in the body of a create. Its words are the simulator's own: none are published."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from campaigns.simulator.voxworks.config import VoxworksConfig
from campaigns.simulator.voxworks.phones import international

_ROOT = frozenset({"from_number", "script_id", "contact", "objects", "scheduled_time"})
_CONTACT = frozenset({"phone_number", "first_name", "last_name"})

PAST = "scheduled_time must lie in the future"
TOO_FAR = "scheduled_time lies too far ahead"
NO_INSTANT = "scheduled_time must be an ISO 8601 timestamp"


def create_complaint(body: Mapping[str, Any], *, now_ms: int, config: VoxworksConfig) -> str | None:
    """The first thing that is wrong with a create; None: it is sound."""
    return next(_create_complaints(body, now_ms=now_ms, config=config), None)


def contact_complaint(contact: object, *, config: VoxworksConfig) -> str | None:
    """The first thing that is wrong with a contact."""
    return next(_contact_complaints(contact, config=config), None)


def schedule_complaint(scheduled_time: object, *, now_ms: int, config: VoxworksConfig) -> str | None:
    """What is wrong with the instant of a call."""
    at_ms = instant_ms(scheduled_time)
    if at_ms is None:
        return NO_INSTANT
    if at_ms < now_ms and config.schedule_past == "refuse":
        return PAST
    horizon = config.schedule_horizon
    return TOO_FAR if horizon is not None and at_ms > now_ms + horizon * 1000 else None


def instant_ms(text: object) -> int | None:
    """Milliseconds since 1970; a time without a zone is UTC. None: it is no instant."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def declared(objects: Mapping[str, Any], *, config: VoxworksConfig) -> dict[str, Any]:
    """The objects without what the team has not declared."""
    if config.objects is None:
        return dict(objects)
    return {
        kind: {key: value for key, value in fields.items() if key in config.objects[kind]}
        for kind, fields in objects.items()
        if kind in config.objects
    }


def _create_complaints(body: Mapping[str, Any], *, now_ms: int, config: VoxworksConfig) -> Iterator[str]:
    for key in ("from_number", "script_id"):
        if not isinstance(body.get(key), str) or not body[key]:
            yield f"{key} is required"
    if "contact" not in body:
        yield "contact is required"
    yield from _contact_complaints(body.get("contact"), config=config, path="contact.")
    yield from _unknown(body, known=_ROOT, path="", config=config)
    yield from _object_complaints(body.get("objects"), config=config)
    scheduled_time = body.get("scheduled_time")
    if scheduled_time is not None:
        complaint = schedule_complaint(scheduled_time, now_ms=now_ms, config=config)
        yield from [complaint] if complaint else []


def _contact_complaints(contact: object, *, config: VoxworksConfig, path: str = "") -> Iterator[str]:
    if not isinstance(contact, Mapping):
        yield f"{path.rstrip('.') or 'contact'} must be an object"
        return
    yield from _unknown(contact, known=_CONTACT, path=path, config=config)
    if not contact.get("phone_number"):
        yield f"{path}phone_number is required"
    elif international(contact["phone_number"], country_code=config.country_code) is None:
        yield f"{path}phone_number is not a valid phone number"
    for key in ("first_name", "last_name"):
        if not isinstance(contact.get(key, ""), str):
            yield f"{path}{key} must be a string"


def _object_complaints(objects: object, *, config: VoxworksConfig) -> Iterator[str]:
    if objects is None:
        return
    if not isinstance(objects, Mapping):
        yield "objects must be an object"
        return
    for kind, fields in objects.items():
        if not isinstance(fields, Mapping):
            yield f"objects.{kind} must be an object"
        elif config.objects is not None and config.undeclared_objects == "refuse":
            yield from _undeclared(kind, fields, types=config.objects)


def _undeclared(kind: str, fields: Mapping[str, Any], *, types: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if kind not in types:
        yield f"objects.{kind} is not an object type of your team"
        return
    for key in fields:
        if key not in types[kind]:
            yield f"objects.{kind}.{key} is not a field of this object type"


def _unknown(value: Mapping[str, Any], *, known: frozenset[str], path: str, config: VoxworksConfig) -> Iterator[str]:
    if config.unknown_properties == "refuse":
        yield from (f"{path}{key} is not a known property" for key in value if key not in known)
