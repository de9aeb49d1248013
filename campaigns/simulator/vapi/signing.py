"""Headers that prove a webhook: the shared secret, or an HMAC over the body as it leaves."""

import base64
import hmac
import time
from collections.abc import Callable, Mapping

from campaigns.simulator.vapi.config import HmacCredential, VapiConfig

SECRET_HEADER = "X-Vapi-Secret"  # noqa: S105 - the header's name

Signer = Callable[[bytes], Mapping[str, str]]


def signer_of(config: VapiConfig, *, message_id: str) -> Signer | None:
    """None: nothing is configured."""
    if config.webhook_secret is None and config.hmac.secret is None:
        return None

    def sign(body: bytes) -> Mapping[str, str]:
        headers = {} if config.webhook_secret is None else {SECRET_HEADER: config.webhook_secret}
        if config.hmac.secret is None:
            return headers
        return headers | signature_headers(config.hmac, body=body, message_id=message_id, now=time.time())

    return sign


def signature_headers(credential: HmacCredential, *, body: bytes, message_id: str, now: float) -> dict[str, str]:
    """`now`: seconds since 1970. The body is signed as the bytes it is sent in."""
    scale = 1000 if credential.timestamp_unit == "milliseconds" else 1
    stamp = str(int((now + credential.timestamp_offset) * scale))
    frame = credential.payload.replace("{timestamp}", stamp).replace("{messageId}", message_id)
    before, _, after = frame.partition("{body}")
    signed = before.encode() + body + after.encode()
    digest = hmac.new((credential.secret or "").encode(), signed, credential.algorithm).digest()
    text = digest.hex() if credential.encoding == "hex" else base64.b64encode(digest).decode()
    headers = {credential.timestamp_header: stamp, credential.signature_header: credential.prefix + text}
    return headers if credential.message_id_header is None else headers | {credential.message_id_header: message_id}
