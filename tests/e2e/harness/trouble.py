"""Trouble that Postgres makes only by chance, made by a trigger: commits that fail with SQLSTATE 40001.

At READ COMMITTED no transaction of ours is ever refused so; one that fails over to a standby, or runs in a cluster
that serializes by itself, is. The trigger is deferred, so it strikes where it hurts most: at the commit.
"""

from sqlalchemy import Engine, text

_STATEMENTS = (
    "CREATE TABLE e2e_trouble (refused double precision NOT NULL)",
    "INSERT INTO e2e_trouble VALUES (0)",
    """
    CREATE FUNCTION e2e_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE share double precision;
    BEGIN
        SELECT refused INTO share FROM e2e_trouble;
        -- One draw a transaction, however many calls it moves.
        IF txid_current() * 7919 % 1000 < share * 1000 THEN
            RAISE EXCEPTION 'could not serialize access' USING ERRCODE = 'serialization_failure';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER e2e_refuse AFTER UPDATE ON calls DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION e2e_refuse()
    """,
)


def prepare_trouble(database: Engine) -> None:
    """No trouble yet."""
    with database.begin() as connection:
        for statement in _STATEMENTS:
            connection.execute(text(statement))


def refuse_commits(database: Engine, *, share: float) -> None:
    """From now on this share (0 to 1) of the transactions that move calls fails at its commit."""
    with database.begin() as connection:
        connection.execute(text("UPDATE e2e_trouble SET refused = :share"), {"share": share})


def deadlocks(database: Engine) -> int:
    """How many Postgres has broken up so far."""
    with database.begin() as connection:
        counted: int = connection.execute(
            text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        ).scalar_one()
        return counted
