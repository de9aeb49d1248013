"""The `customer` of a create: the number that the gate judged, and what the campaign says of whom it belongs to."""

import re
from collections.abc import Mapping
from typing import Any

from campaigns.providers.contract import DialRequest
from campaigns.providers.vapi.unusable import UnusableCustomerError, UnusableRequestError, part_of

NAME_LIMIT = 40
"""Vapi refuses a longer `name`, `customer.name`, `.externalId` or `.email` with 400; a UUID has 36 characters."""
EXTENSION = re.compile(r"[0-9*#pPwW,]{1,10}")
"""Keys and pauses; Vapi takes at most ten characters."""
SIP_USER = re.compile(r"sips?:\+?(\d+)@")
_KEYS = frozenset({"extension", "email", "sipUri", "numberE164CheckEnabled", "assistantOverrides"})


def customer_part(request: DialRequest) -> dict[str, Any]:
    """Raises `UnusableRequestError`, `UnusableCustomerError`."""
    given = part_of(request.assistant, "customer")
    if unknown := sorted(set(given) - _KEYS):
        allowed = ", ".join(sorted(_KEYS))
        raise UnusableRequestError(f"assistant.customer: unknown key {unknown[0]!r}; allowed are {allowed}")
    customer: dict[str, Any] = {
        **_address(request, given),
        "externalId": (request.external_id or str(request.attempt_id))[:NAME_LIMIT],
    }
    if request.customer_name:
        customer["name"] = request.customer_name[:NAME_LIMIT]
    return customer | _extension(given) | _email(given)


def _address(request: DialRequest, given: Mapping[str, Any]) -> dict[str, Any]:
    """A SIP address is another way to the same number, never to another one: only that number was judged."""
    if sip_uri := given.get("sipUri"):
        user = SIP_USER.match(str(sip_uri))
        if user is None or user[1] != request.number.removeprefix("+"):
            raise UnusableRequestError(
                "assistant.customer.sipUri: it must begin with the customer's number, as sip:{number}@sbc.example.com"
            )
        return {"sipUri": str(sip_uri)}
    checked = given.get("numberE164CheckEnabled")
    if checked is None:
        return {"number": request.number}
    return {"number": request.number, "numberE164CheckEnabled": checked}


def _extension(given: Mapping[str, Any]) -> dict[str, str]:
    extension = str(given.get("extension") or "").strip()
    if extension and not EXTENSION.fullmatch(extension):
        raise UnusableCustomerError("customer.extension: it is no extension of at most ten keys")
    return {"extension": extension} if extension else {}


def _email(given: Mapping[str, Any]) -> dict[str, str]:
    """Only for the account's own reference, so one that Vapi would refuse is left out rather than cut."""
    email = str(given.get("email") or "").strip()
    return {"email": email} if 0 < len(email) <= NAME_LIMIT else {}
