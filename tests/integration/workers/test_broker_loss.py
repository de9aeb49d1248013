"""What a worker does when the broker dies under it: as Celery does it, with our transport options."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection, Queue
from kombu.message import Message

from campaigns.runtime.embedded import ValkeyServer, start_valkey
from config.celery_settings import CELERY_SETTINGS, CONTROL_QUEUE, DISPATCH_QUEUE


@pytest.fixture
def broker(server_folder: Path) -> Iterator[ValkeyServer]:
    with start_valkey(server_folder / "valkey", durable=False) as server:
        yield server


def test_a_worker_that_holds_a_message_survives_the_death_of_the_broker(
    broker: ValkeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With emulated acknowledgements the second clean-up raises an `AttributeError`, which ends the worker."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where the transport puts messages it cannot give back
    connection = Connection(broker.url, transport_options=CELERY_SETTINGS["broker_transport_options"])
    held = hold_a_message(connection)
    broker.kill()

    connection.collect()  # both, one after the other, when a worker has lost its connection
    connection.close()

    assert len(held) == 1


def hold_a_message(connection: Connection) -> list[Message]:
    """Take a message without acknowledging it, while another channel of the connection waits as well."""
    held: list[Message] = []
    for name in (CONTROL_QUEUE, DISPATCH_QUEUE):
        channel = connection.default_channel if name == CONTROL_QUEUE else connection.channel()
        queue = Queue(name, routing_key=name)
        consumer = connection.Consumer(
            [queue.bind(channel)], callbacks=[lambda _, message: held.append(message)], channel=channel
        )
        consumer.consume()
    with connection.Producer() as producer:
        producer.publish({}, routing_key=CONTROL_QUEUE)
    while not held:
        connection.drain_events(timeout=5)
    with pytest.raises(TimeoutError):  # both channels are back in their blocking read
        connection.drain_events(timeout=0.1)
    return held
