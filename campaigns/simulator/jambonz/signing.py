"""`Jambonz-Signature: t=…,v1=…`: proof that a webhook comes from the account's jambonz."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

HEADER = "Jambonz-Signature"


def signature_of(body: bytes, *, secrets: Sequence[str], at_s: int) -> Mapping[str, str]:
    """One `v1` for each secret, over the time and the very bytes that are sent."""
    signed = f"{at_s}.".encode() + body
    proofs = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return {HEADER: ",".join([f"t={at_s}", *(f"v1={proof}" for proof in proofs)])}
