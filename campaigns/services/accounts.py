"""Accounts and rules, made known to the database when a process starts."""

from collections.abc import Sequence

from sqlalchemy import Engine

from campaigns.services.lowered_limits import keep_to
from campaigns.store import accounts as rows
from campaigns.store.accounts import AccountRecord
from campaigns.store.limits import lock_limits

__all__ = ["AccountInUseError", "AccountRecord", "activate_rules", "sync_accounts"]


class AccountInUseError(Exception):
    """An account cannot change as the settings want; the message says what to do."""


def sync_accounts(engine: Engine, accounts: Sequence[AccountRecord]) -> None:
    """Insert or renew the accounts of the settings; those no longer there stay, for campaigns refer to them.

    A limit that is lower than before holds from the commit on, for what was released already too.
    Raises `AccountInUseError` for a simulator account that would begin to dial real people while a campaign on a
    rehearsal clock still uses it, and for a real one that would become a simulator while calls of it are not over.
    """
    with engine.begin() as connection:
        if turned := rows.turned_real(connection, accounts):
            raise AccountInUseError(
                f"account {turned[0]} was a simulator and a rehearsal still uses it; "
                "give the real account another name, or cancel that campaign first"
            )
        if turned := rows.turned_simulator(connection, accounts):
            raise AccountInUseError(
                f"account {turned[0]} dials real people and has calls that are not over; a simulator would know "
                "nothing of them, so give the simulator's account another name"
            )
        before = lock_limits(connection)
        rows.put_accounts(connection, accounts)
        keep_to(connection, before, lock_limits(connection))


def activate_rules(engine: Engine, *, digest: str, tzdata_version: str) -> None:
    """Say which rules and zones are in force. A worker that holds others claims nothing from now on."""
    with engine.begin() as connection:
        rows.put_active_rules(connection, digest=digest, tzdata_version=tzdata_version)
