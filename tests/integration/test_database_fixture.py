"""What every test with a database relies on: it is fresh, migrated and its own."""

from sqlalchemy import Engine, text

from campaigns.store.engine import open_engine
from campaigns.store.migrate import is_current, upgrade


def test_each_test_has_a_migrated_database_of_its_own(database: Engine) -> None:
    with database.begin() as connection:
        assert is_current(connection)
        connection.execute(text("CREATE TABLE left_behind (n int)"))  # another test would trip over it


def test_each_test_really_has_one_of_its_own(database: Engine) -> None:
    with database.begin() as connection:
        assert is_current(connection)
        connection.execute(text("CREATE TABLE left_behind (n int)"))


def test_migrating_an_empty_database_twice_changes_nothing_the_second_time(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url)
    with engine.connect() as connection:
        assert not is_current(connection)
    for _ in range(2):
        upgrade(engine)
        with engine.connect() as connection:
            assert is_current(connection)
    engine.dispose()
