"""Webhooks as Vapi sends them: end-of-call reports of some 10 kB, signed, each of another call."""

import hashlib
import hmac
import json
import time
from typing import Any

SECRET = "the-secret-of-the-account-in-the-benchmark"  # noqa: S105 - it opens nothing
SECRET_VARIABLE = "BENCH_HOOK_SECRET"  # noqa: S105 - the variable's name
TOKEN = "the-token-of-the-campaign-in-the-benchmark"  # noqa: S105
ACCOUNT = "bench"
STARTED, ENDED = "2026-12-02T18:00:00.000Z", "2026-12-02T18:03:07.000Z"
TURN = "Thank you, I have found your renewal and I can see the plan that you are on at the moment, so let us go on. "
SHARE_OF_TURNS = 2
"""The conversation stands twice in a report: as one text and turn by turn."""


def attempt_id(number: int) -> str:
    """The attempt that the webhooks of call `number` are about; the same in SQL in `calls.py`."""
    return f"00000000-0000-4000-8000-{number:012x}"


def call_id(number: int) -> str:
    """The provider's id of call `number`."""
    return f"10000000-0000-4000-8000-{number:012x}"


def report(number: int, *, size: int) -> bytes:
    """An end-of-call report, about `size` bytes long."""
    turns = max(2, round((size - 1_500) / SHARE_OF_TURNS / (len(TURN) + 50)))
    spoken = [
        {"role": "bot" if turn % 2 else "user", "message": TURN, "time": 1796234400000 + turn * 900, "duration": 850}
        for turn in range(turns)
    ]
    transcript = "".join(f"{'AI' if turn % 2 else 'User'}: {TURN}\n" for turn in range(turns))
    return _message(
        number,
        type="end-of-call-report",
        endedReason="customer-ended-call",
        startedAt=STARTED,
        endedAt=ENDED,
        cost=0.21,
        costBreakdown={"stt": 0.02, "llm": 0.05, "tts": 0.08, "vapi": 0.05, "transport": 0.01, "total": 0.21},
        analysis={"summary": TURN * 2, "structuredData": {"disposition": "booked", "slot": "tuesday"}},
        artifact={"transcript": transcript, "messages": spoken, "recordingUrl": f"https://files.example/{number}.wav"},
    )


def update(number: int, *, status: str) -> bytes:
    """A status update; some 500 bytes."""
    ended = {"endedReason": "customer-ended-call"} if status == "ended" else {}
    return _message(number, type="status-update", status=status, **ended)


def _message(number: int, **content: Any) -> bytes:
    call = {
        "id": call_id(number),
        "orgId": "20000000-0000-4000-8000-000000000001",
        "type": "outboundPhoneCall",
        "createdAt": STARTED,
        "name": attempt_id(number),
        "metadata": {"attemptId": attempt_id(number)},
        "customer": {"externalId": attempt_id(number)},
        "phoneNumberId": "line-1",
    }
    return json.dumps({"message": {"timestamp": 1796234587000, **content, "call": call}}).encode()


def request(body: bytes, *, path: str) -> bytes:
    """The whole HTTP request, with token and signature; its time is now."""
    stamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: calls.example.com\r\nuser-agent: bench\r\naccept: */*\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"x-ringfence-token: {TOKEN}\r\nx-timestamp: {stamp}\r\nx-signature: {digest}\r\n\r\n"
    )
    return head.encode() + body
