"""A provider that costs next to nothing: whatever is sent as a whole request is answered with a created call."""

import asyncio
import sys
from email.utils import formatdate
from uuid import uuid4

BODY = '{{"id": "{id}", "status": "queued", "type": "outboundPhoneCall", "orgId": "{org}"}}'
ORG = str(uuid4())


class Stub(asyncio.Protocol):
    """Reads up to the blank line, then as many bytes as the length says."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            length = _length(self._received[:end])
            if len(self._received) < end + 4 + length:
                return
            self._received = self._received[end + 4 + length :]
            self._transport.write(_answer())


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


def _answer() -> bytes:
    body = BODY.format(id=uuid4(), org=ORG).encode()
    head = (
        f"HTTP/1.1 201 Created\r\nDate: {formatdate(usegmt=True)}\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: keep-alive\r\n\r\n"
    )
    return head.encode() + body


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
