"""A database of its own for a theatre, gone when it closes."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import make_url

from interleaving.schedule import Theatre
from interleaving.virtual_sql import make_virtual, virtual_engine


@contextmanager
def theatre_at(server_url: str) -> Iterator[Theatre]:
    """A theatre in a new database of this server."""
    name = f"simulation_{uuid.uuid4().hex[:12]}"
    plain = make_url(server_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        engine = virtual_engine(make_url(server_url).set(database=name).render_as_string(hide_password=False))
        try:
            make_virtual(engine)
            theatre = Theatre(engine)
            try:
                yield theatre
            finally:
                theatre.close()
        finally:
            engine.dispose()
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
