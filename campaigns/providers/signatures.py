"""What proofs of origin have in common: constant-time comparison, raw bytes, and a window against replays."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from campaigns.providers.contract import WebhookForgedError

REPLAY_WINDOW = timedelta(seconds=300)
"""A signed time further away than this, in the past or the future, proves nothing; jambonz's own verifier allows as
much age. Receipts are deduplicated besides, so a replay within it does no harm."""


def same(given: str, expected: str) -> bool:
    """Compared as bytes, in a time that tells nothing: comparing text that is not ASCII would raise.

    `given` as a web server hands a header over: each byte one character. An empty secret proves nothing.
    """
    return bool(expected) and hmac.compare_digest(given.encode("latin-1", errors="replace"), expected.encode())


def sha256_hex(secret: str, *, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 over `{stamp}.{body}`, the body as it came."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def require_lately(stamp: str, *, now: datetime) -> None:
    """`stamp`: seconds or milliseconds since 1970, as text. Raises `WebhookForgedError`."""
    try:
        seconds = int(stamp)
        at = datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS_FROM else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise WebhookForgedError("the signature's time is no number of seconds") from None
    if abs(now - at) > REPLAY_WINDOW:
        raise WebhookForgedError("the signature's time is more than five minutes away from ours")


_MILLISECONDS_FROM = 100_000_000_000
"""As seconds this would be the year 5138, as milliseconds 1973."""
