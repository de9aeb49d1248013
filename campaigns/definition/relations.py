"""What must agree between keys of a campaign file.

These checks look at the data as read, not at the finished model, so that they speak up beside every other mistake.
Each keeps silent about a part that is missing or malformed: the model tells that.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from campaigns.definition.assistant import SOURCES
from campaigns.definition.assistant_checks import assistant_findings, templates_of
from campaigns.definition.findings import Finding, nearest_of
from campaigns.definition.people import Columns
from campaigns.definition.templates import CUSTOMER_PLACEHOLDERS, TemplateError, placeholders
from campaigns.definition.timing import DEFAULT_END_GUARD
from campaigns.definition.values import Guard, Instant
from campaigns.definition.voicemail_checks import voicemail_findings
from campaigns.definition.yaml_nodes import Path

_T = TypeVar("_T")

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_DURATION: TypeAdapter[timedelta] = TypeAdapter(Guard)


def relation_findings(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Every disagreement between keys, in no particular order."""
    yield from _exactly_one(data, "customers", ("file", "list"))
    yield from _exactly_one(data, "assistant", SOURCES)
    yield from assistant_findings(data)
    yield from _no_columns_beside_list(_mapping(data, "customers"))
    yield from _window_has_room(_mapping(data, "window"), end_guard=data.get("endGuard"))
    yield from voicemail_findings(data)
    yield from _ladder_has_attempts(_mapping(data, "retries"))
    yield from _emergency_has_one_list(data)
    yield from _stops_for_something(data)
    yield from _inline_variables(data)


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _exactly_one(data: Mapping[str, Any], block: str, keys: Sequence[str]) -> Iterator[Finding]:
    if not isinstance(data.get(block), Mapping):
        return
    given = [key for key in keys if data[block].get(key) is not None]
    allowed = f"exactly one of {', '.join(keys)}"
    if not given:
        yield Finding((block,), "none of them", allowed, f"{allowed} must be given here", on_key=True)
    for key in given[1:]:
        message = f"{key} cannot stand beside {given[0]}; allowed: {allowed}"
        yield Finding((block, key), f"{given[0]} and {key}", allowed, message, on_key=True)


def _no_columns_beside_list(customers: Mapping[str, Any]) -> Iterator[Finding]:
    if customers.get("list") is not None and customers.get("file") is None and customers.get("columns") is not None:
        allowed = "columns only with file; the customers in a list have keys of their own"
        yield Finding(("customers", "columns"), "columns beside list", allowed, f"allowed: {allowed}", on_key=True)


def _emergency_has_one_list(data: Mapping[str, Any]) -> Iterator[Finding]:
    if data.get("purpose") == "emergency" and data.get("schedule") is not None:
        allowed = "no schedule for purpose emergency"
        message = "an emergency is approved by a second person for one list; a recurring one would call later lists"
        yield Finding(("schedule",), "a schedule", allowed, f"{message}; allowed: {allowed}", on_key=True)


def _window_has_room(window: Mapping[str, Any], *, end_guard: Any) -> Iterator[Finding]:
    earliest_at = _read(_INSTANT, window.get("earliestAt"))
    latest_at = _read(_INSTANT, window.get("latestAt"))
    if earliest_at is None or latest_at is None:
        return
    path, found = ("window", "latestAt"), str(window["latestAt"])
    allowed = f"an instant after earliestAt ({window['earliestAt']})"
    if latest_at <= earliest_at:
        yield Finding(path, found, allowed, f"latestAt is not after earliestAt; allowed: {allowed}")
        return
    guard = _read(_DURATION, end_guard) if end_guard is not None else DEFAULT_END_GUARD
    if guard is not None and latest_at - earliest_at <= guard:
        allowed = "a window longer than endGuard (60s when left out)"
        yield Finding(path, found, allowed, f"the window is over before it begins; allowed: {allowed}")


def _read(adapter: TypeAdapter[_T], value: Any) -> _T | None:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


def _ladder_has_attempts(retries: Mapping[str, Any]) -> Iterator[Finding]:
    attempts = retries.get("maxAttempts", 1)
    if retries.get("ladder") and str(attempts) == "1":
        allowed = "maxAttempts of 2 or more beside a ladder"
        message = f"with one attempt the ladder has no effect; allowed: {allowed}"
        yield Finding(("retries", "ladder"), f"maxAttempts {attempts}", allowed, message, on_key=True)


def _stops_for_something(data: Mapping[str, Any]) -> Iterator[Finding]:
    stop_when = data.get("stopWhen")
    if not isinstance(stop_when, Mapping):
        return
    if not stop_when.get("dispositions") and stop_when.get("inboundCall", "false") in (None, False, "false"):
        allowed = "dispositions, inboundCall: true, or both; leave stopWhen out if nothing is to stop the calling"
        yield Finding(("stopWhen",), "nothing to stop for", allowed, f"allowed: {allowed}", on_key=True)


def _inline_variables(data: Mapping[str, Any]) -> Iterator[Finding]:
    customers = _mapping(data, "customers").get("list")
    needed = _needed_variables(templates_of(_mapping(data, "assistant")))
    for index, customer in enumerate(customers if isinstance(customers, Sequence) else ()):
        if isinstance(customer, Mapping):
            path: Path = ("customers", "list", index)
            yield from _missing_variables(path, customer, needed)
            yield from _reserved_variables(path, customer)


def _needed_variables(templates: Mapping[str, str]) -> dict[str, str]:
    """Placeholder → the place in the assistant block that asks for it, for those not every customer has anyway."""
    needed: dict[str, str] = {}
    for place, template in templates.items():
        needed |= {name: place for name in _names(template) if name not in CUSTOMER_PLACEHOLDERS}
    return needed


def _names(template: str) -> tuple[str, ...]:
    try:
        return placeholders(template)
    except TemplateError:
        return ()


def _missing_variables(path: Path, customer: Mapping[str, Any], needed: Mapping[str, str]) -> Iterator[Finding]:
    variables = _mapping(customer, "variables")
    for name in needed.keys() - variables.keys():
        allowed = f"a value for {name} among the customer's variables"
        message = f"assistant.{needed[name]} asks for {{{name}}}, which this customer does not have"
        nearest = nearest_of(name, (*variables, *CUSTOMER_PLACEHOLDERS))
        message = f"{message}; did you mean {nearest}?" if nearest else message
        yield Finding((*path, "variables", name), "nothing", allowed, message, nearest)


def _reserved_variables(path: Path, customer: Mapping[str, Any]) -> Iterator[Finding]:
    for name in _mapping(customer, "variables").keys() & _RESERVED:
        allowed = "another name; this one is a key of the customer itself"
        yield Finding((*path, "variables", name), name, allowed, f"{name} is taken; allowed: {allowed}", on_key=True)


_RESERVED = frozenset(Columns.known_keys())
"""A variable of such a name would overwrite the customer's own value, the number even."""
