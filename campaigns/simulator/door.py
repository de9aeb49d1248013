"""A door in front of the simulator that notes when requests arrive, by the kernel's clock.

    python -m campaigns.simulator.door --to 8095 --log arrivals.txt

The simulator reads its clock when it comes to a request: on a busy machine, later for some than for others. The kernel
stamps each packet as it comes in, whoever has to wait for a processor then. So this, and not the simulator's own count,
tells how many dials really reached the provider in a second. Linux only.
"""

import argparse
import contextlib
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

LOOPBACK = "127.0.0.1"
CHUNK = 256 * 1024
_SO_TIMESTAMPNS = 35
"""Of Linux; Python does not name it."""
_TIMESPEC = struct.Struct("@ll")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: seconds since the epoch at which its first bytes reached this machine, and what it asked for."""

    at: float
    method: str
    path: str


def read_arrivals(log: Path) -> list[Arrival]:
    """What a door has written so far, in order of time."""
    lines = log.read_text(encoding="ascii").splitlines()
    return sorted((_arrival(*line.split(" ")) for line in lines), key=lambda arrival: arrival.at)


def _arrival(at: str, method: str, path: str) -> Arrival:
    return Arrival(float(at), method, path)


def most_in_any_second(instants: Sequence[float]) -> int:
    """The most of these instants, in order, that any second holds; a second ends where the next one begins."""
    most = first = 0
    for last, instant in enumerate(instants):
        while instants[first] <= instant - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


class Door:
    """Passes bytes both ways between its clients and one port of the loopback."""

    def __init__(self, *, port: int, to: int, log: TextIO) -> None:
        self._to = to
        self._log = log
        self._waiting = selectors.DefaultSelector()
        self._listener = socket.create_server((LOOPBACK, port), backlog=512)
        self._listener.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)  # connections inherit it
        self._watch(self._listener, self._accept)
        self._closing = False
        self._bell, self._pull = socket.socketpair()
        self._watch(self._bell, self._end)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def run(self) -> None:
        """Until somebody closes it."""
        while not self._closing:
            for key, _ in self._waiting.select():
                key.data()
        for key in list(self._waiting.get_map().values()):
            self._drop(key.fileobj)
        self._pull.close()

    def close(self) -> None:
        """Have `run` end; from any thread."""
        self._pull.send(b"x")

    def _end(self) -> None:
        self._closing = True

    def _watch(self, readable: socket.socket, on_data: Callable[[], None]) -> None:
        self._waiting.register(readable, selectors.EVENT_READ, on_data)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            provider = socket.create_connection((LOOPBACK, self._to))
        except OSError:  # the provider is not there: neither is its door
            client.close()
            return
        for end in (client, provider):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watch(client, lambda: self._inward(client, provider))
        self._watch(provider, lambda: self._outward(provider, client))

    def _inward(self, client: socket.socket, provider: socket.socket) -> None:
        with self._closing_both(client, provider):
            data, notes, _, _ = client.recvmsg(CHUNK, socket.CMSG_SPACE(_TIMESPEC.size))
            if data.startswith((b"POST ", b"GET ", b"PATCH ", b"DELETE ")):
                method, path, _ = data.split(b" ", 2)
                self._log.write(f"{_stamp(notes):.6f} {method.decode()} {path.decode()}\n")
            _pass_on(data, provider)

    def _outward(self, provider: socket.socket, client: socket.socket) -> None:
        with self._closing_both(provider, client):
            _pass_on(provider.recv(CHUNK), client)

    @contextlib.contextmanager
    def _closing_both(self, readable: socket.socket, other: socket.socket) -> Iterator[None]:
        """When either end is gone, so is the connection."""
        try:
            yield
        except OSError:
            self._drop(readable)
            self._drop(other)

    def _drop(self, end: Any) -> None:
        with contextlib.suppress(KeyError):  # the other end was closed first
            self._waiting.unregister(end)
            end.close()


def _pass_on(data: bytes, to: socket.socket) -> None:
    """Raises `ConnectionResetError` at the end of the stream."""
    if not data:
        raise ConnectionResetError
    to.sendall(data)


def _stamp(notes: Sequence[tuple[int, int, bytes]]) -> float:
    """When the kernel got it. The first packets after a machine began to stamp have none: then, when read."""
    for level, kind, content in notes:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(content[: _TIMESPEC.size])
            return float(seconds + nanoseconds / 1e9)
    return time.time()


def main() -> None:
    """Print the port as soon as it is open, then serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0: any free port")
    parser.add_argument("--to", type=int, required=True, help="the simulator's port")
    parser.add_argument("--log", type=Path, required=True)
    options = parser.parse_args()
    with options.log.open("a", encoding="ascii", buffering=1) as log:
        door = Door(port=options.port, to=options.to, log=log)
        sys.stdout.write(f"{door.port}\n")
        sys.stdout.flush()
        door.run()


if __name__ == "__main__":
    main()
