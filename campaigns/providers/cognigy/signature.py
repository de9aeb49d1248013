"""Who sent this webhook: `Jambonz-Signature: t=<seconds>,v1=<hex>,v1=<hex>`, HMAC-SHA256 over `<t>.<body>`.

Several `v1` stand side by side while a secret is being changed; one that fits is enough. The gateway's own verifier
writes the parsed body anew before it compares; here the bytes count as they came.
"""

from campaigns.providers.contract import WebhookForgedError, WebhookRequest
from campaigns.providers.signatures import require_lately, same, sha256_hex

HEADER = "jambonz-signature"
SCHEME = "v1"


def verify(request: WebhookRequest, *, secret: str) -> None:
    """Raises `WebhookForgedError`."""
    header = request.headers.get(HEADER)
    if header is None:
        raise WebhookForgedError("it carries no Jambonz-Signature")
    pairs = [pair.strip().partition("=") for pair in header.split(",")]
    stamps = [value for key, _, value in pairs if key == "t"]
    if len(stamps) != 1:
        raise WebhookForgedError("its signature does not say when it was made")
    expected = sha256_hex(secret, stamp=stamps[0], body=request.body)
    fits = [same(value, expected) for key, _, value in pairs if key == SCHEME]
    if not any(fits):
        raise WebhookForgedError("its signature does not fit")
    require_lately(stamps[0], now=request.received_at)
