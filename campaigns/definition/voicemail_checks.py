"""What must agree between the voicemail block, the assistant and the purpose of the campaign."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from campaigns.definition.findings import Finding

_MESSAGE = ("voicemail", "message")
_COLUMN = re.compile(r"(?<!\{)\{[^{}]*\}(?!\})")
_NUMBER = re.compile(r"\d(?:[\s().-]*\d){9,10}")
TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888"})
"""Area codes of the North American plan that cost the caller nothing."""


def voicemail_findings(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Every disagreement about what happens at a machine."""
    voicemail = data.get("voicemail")
    if not isinstance(voicemail, Mapping):
        return
    yield from _message_fits_action(voicemail)
    yield from _one_message(data)
    yield from _workflow_decides_itself(data)
    if voicemail.get("action") == "leaveMessage" and isinstance(voicemail.get("message"), str):
        yield from _said_as_it_stands(voicemail["message"])
        yield from _offers_a_way_out(voicemail["message"], data)


def _message_fits_action(voicemail: Mapping[str, Any]) -> Iterator[Finding]:
    action, has_message = voicemail.get("action"), voicemail.get("message") is not None
    if action == "leaveMessage" and not has_message:
        allowed = "a message with the action leaveMessage"
        yield Finding(_MESSAGE, "nothing", allowed, "leaveMessage needs a message to leave")
    if action == "hangUp" and has_message:
        allowed = "a message only with the action leaveMessage"
        yield Finding(_MESSAGE, "a message", allowed, "hangUp leaves no message", on_key=True)


def _said_as_it_stands(message: str) -> Iterator[Finding]:
    """The provider fills its own {{variables}} in; what is in single braces would be read aloud."""
    if found := _COLUMN.search(message):
        allowed = "a variable of the assistant in double braces, such as {{firstName}}, which assistant.variables sets"
        yield Finding(_MESSAGE, found[0], allowed, f"a column cannot stand here; allowed: {allowed}")


def _offers_a_way_out(message: str, data: Mapping[str, Any]) -> Iterator[Finding]:
    """47 CFR 64.1200(b)(3): a sales message left on a machine gives a toll-free number that takes the opt-out."""
    customers = data.get("customers")
    region = customers.get("defaultRegion") if isinstance(customers, Mapping) else None
    if data.get("purpose") != "telemarketing" or region not in (None, "US") or _toll_free(message):
        return
    allowed = "a message that says a toll-free number at which the person can opt out, such as 1-800-555-0100"
    yield Finding(_MESSAGE, "no toll-free number", allowed, f"47 CFR 64.1200(b)(3) asks for one; allowed: {allowed}")


def _toll_free(message: str) -> bool:
    digits = (re.sub(r"\D", "", found[0]) for found in _NUMBER.finditer(message))
    return any(number.removeprefix("1")[:3] in TOLL_FREE and len(number.removeprefix("1")) == 10 for number in digits)


def _one_message(data: Mapping[str, Any]) -> Iterator[Finding]:
    overrides = _part(data, "assistant").get("overrides")
    if isinstance(overrides, Mapping) and "voicemailMessage" in overrides:
        allowed = "voicemail.message, or no voicemail block"
        message = f"the voicemail block says what a machine hears; allowed: {allowed}"
        yield Finding(("assistant", "overrides", "voicemailMessage"), "two messages", allowed, message, on_key=True)


def _workflow_decides_itself(data: Mapping[str, Any]) -> Iterator[Finding]:
    assistant = _part(data, "assistant")
    source = next((key for key in ("workflowId", "workflow") if assistant.get(key) is not None), None)
    if source is not None:
        allowed = "no voicemail block here"
        message = f"a workflow decides itself what happens at a machine; allowed: {allowed}"
        yield Finding(("voicemail",), f"voicemail with {source}", allowed, message, on_key=True)


def _part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}
