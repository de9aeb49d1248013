"""Who sent this webhook: Vapi's HMAC credential if there is a signature, else its shared secret.

Vapi's names are settable per credential; these are its defaults (`x-signature`, `x-timestamp`, SHA-256 in hex over
`{timestamp}.{body}`). The older `X-Vapi-Secret` carries the secret itself, so it knows no time and no body.
"""

from campaigns.providers.contract import WebhookForgedError, WebhookRequest
from campaigns.providers.signatures import require_lately, same, sha256_hex

SIGNATURE_HEADER = "x-signature"
TIMESTAMP_HEADER = "x-timestamp"
SECRET_HEADER = "x-vapi-secret"  # noqa: S105 - the header's name
PREFIX = "sha256="
"""May stand before the digest, if the credential says so."""


def verify(request: WebhookRequest, *, secret: str) -> None:
    """Raises `WebhookForgedError`."""
    signature = request.headers.get(SIGNATURE_HEADER)
    if signature is None:
        if not same(request.headers.get(SECRET_HEADER, ""), secret):
            raise WebhookForgedError("it carries neither a signature nor the account's secret")
        return
    stamp = request.headers.get(TIMESTAMP_HEADER, "")
    if not same(signature.removeprefix(PREFIX), sha256_hex(secret, stamp=stamp, body=request.body)):
        raise WebhookForgedError("its signature does not fit")
    require_lately(stamp, now=request.received_at)
