"""Which errors pass by themselves, and which lie in what was to be written and come again however often it is tried."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

SPOILED = (DataError, IntegrityError, ProgrammingError)
"""Errors of the database that lie in what it was given. All others lie in its state (a lost connection, a failover to a
copy that cannot write yet, a deadlock), and pass."""


def passes(error: Exception) -> bool:
    """Whether the same work may well succeed when it is simply done again."""
    return isinstance(error, DBAPIError | PoolTimeoutError) and not isinstance(error, SPOILED)


def is_lock_timeout(error: Exception) -> bool:
    """SQLSTATE 55P03: somebody else held for longer than `LOCK_TIMEOUT` what this wanted to lock."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) == "55P03"
