"""The embedded Valkey: starts, comes back at the same address, never drops a key for want of room."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from campaigns.runtime.embedded import BinaryNotFoundError, ServerStartError, ValkeyServer, start_valkey


@pytest.fixture
def server(server_folder: Path) -> Iterator[ValkeyServer]:
    with start_valkey(server_folder / "valkey") as running:
        yield running


def client_of(server: ValkeyServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True)


def password_of(server: ValkeyServer) -> str:
    return server.url.split(":")[2].split("@")[0]


def test_a_killed_server_comes_back_at_the_same_address_with_what_was_written(server_folder: Path) -> None:
    first = start_valkey(server_folder / "valkey")
    with client_of(first) as client:
        client.set("kept", "yes")
        client.config_set("appendfsync", "always")
        client.set("kept", "yes, on disk")
    first.kill()

    again = start_valkey(server_folder / "valkey", port=first.port)
    with again, client_of(first) as client:
        assert again.url == first.url
        assert client.get("kept") == "yes, on disk"


def test_a_full_server_refuses_a_message_and_drops_none(server: ValkeyServer) -> None:
    with client_of(server) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_the_server_listens_on_the_loopback_only_and_wants_its_password(server: ValkeyServer) -> None:
    with client_of(server) as client:
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
    with (
        redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_the_password_is_in_no_text_of_the_server_and_no_argument_of_the_process(server: ValkeyServer) -> None:
    assert password_of(server) not in repr(server)
    assert password_of(server) not in str(server.process.args)


def test_a_taken_port_is_told_in_one_sentence(server: ValkeyServer, server_folder: Path) -> None:
    with pytest.raises(ServerStartError, match=f"Port {server.port} of the loopback is taken"):
        start_valkey(server_folder / "another", port=server.port)


def test_a_program_that_is_not_there_is_named(server_folder: Path) -> None:
    with pytest.raises(BinaryNotFoundError, match="REDIS_SERVER_BIN names"):
        start_valkey(server_folder / "valkey", environment={"REDIS_SERVER_BIN": "/nowhere/valkey-server"})


def test_stopping_twice_is_harmless(server_folder: Path) -> None:
    server = start_valkey(server_folder / "valkey")
    server.stop()
    server.stop()

    assert not server.is_running
