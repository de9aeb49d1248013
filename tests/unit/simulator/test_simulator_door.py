"""The door in front of the simulator: what it notes, and that it changes nothing."""

import contextlib
import fcntl
import io
import socket
import struct
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.simulator.door import _SO_TIMESTAMPNS as SO_TIMESTAMPNS
from campaigns.simulator.door import Door, _stamp, most_in_any_second, read_arrivals

REQUEST = b"POST /call HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def provider() -> Iterator[socket.socket]:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening


@pytest.fixture
def _the_kernel_stamps() -> Iterator[None]:
    """It begins a moment after somebody first asks for it, and goes on for as long as somebody does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        asking.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        notes: list[tuple[int, int, bytes]] = []
        while not notes:
            asking.sendto(b"x", asking.getsockname())
            _, notes, _, _ = asking.recvmsg(1, 100)
        yield


@contextlib.contextmanager
def serving(door: Door) -> Iterator[None]:
    thread = threading.Thread(target=door.run)
    thread.start()
    yield
    door.close()
    thread.join()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def wait_for_arrival(client: socket.socket) -> None:
    """Until all that it sent is acknowledged: on a busy machine a packet may be on its way on the loopback as well."""
    size = struct.Struct("i")
    while size.unpack(fcntl.ioctl(client, termios.TIOCOUTQ, bytes(size.size)))[0]:
        pass


def behind(provider: socket.socket) -> socket.socket:
    """The provider's end of the next connection."""
    accepted, _ = provider.accept()
    accepted.settimeout(5)
    return accepted


def test_it_passes_every_byte_on_and_closes_when_either_end_does(provider: socket.socket) -> None:
    door = Door(port=0, to=provider.getsockname()[1], log=io.StringIO())
    with serving(door), connect(door.port) as client:
        client.sendall(REQUEST)
        with behind(provider) as other:
            assert other.recv(1000) == REQUEST
            other.sendall(ANSWER)
            assert client.recv(1000) == ANSWER
        assert client.recv(1000) == b""


@pytest.mark.usefixtures("_the_kernel_stamps")
def test_a_request_is_stamped_when_it_arrives_however_late_it_is_read(provider: socket.socket, tmp_path: Path) -> None:
    log = tmp_path / "arrivals.txt"
    with log.open("w", buffering=1) as file:
        door = Door(port=0, to=provider.getsockname()[1], log=file)
        with connect(door.port) as client:
            client.sendall(REQUEST)  # nobody reads yet
            wait_for_arrival(client)
            served_from = time.time()
            with serving(door), behind(provider) as other:
                assert other.recv(1000) == REQUEST
                client.sendall(REQUEST)
                assert other.recv(1000) == REQUEST
    first, second = read_arrivals(log)
    assert (first.method, first.path) == ("POST", "/call")
    assert first.at <= served_from <= second.at


def test_what_the_kernel_has_not_stamped_yet_counts_from_when_it_is_read() -> None:
    before = time.time()
    assert before <= _stamp([]) <= time.time()


def test_the_most_of_any_second_is_counted_and_not_of_each_second_of_the_clock() -> None:
    assert most_in_any_second([0.0, 0.875, 1.0, 1.5, 1.875, 2.5]) == 3
    assert most_in_any_second([0.9, 1.0, 1.1, 1.8]) == 4
    assert most_in_any_second([0.0, 1.0, 2.0]) == 1
    assert most_in_any_second([]) == 0
