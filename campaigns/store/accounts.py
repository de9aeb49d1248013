"""Accounts as the settings give them, and the rules in force."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

PAUSED_BY_SETTINGS = "the settings say paused"
"""Set and lifted by the settings alone; a pause for any other reason outlives a restart."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One account with its limits. `limit_group` is the same for accounts that share a credential."""

    name: str
    provider: str
    limit_group: str
    simulator: bool
    concurrency: int
    calls_per_second: float
    ring_timeout: timedelta
    max_duration: timedelta
    reconcile_after: Sequence[timedelta]
    """First and second look for an attempt of unknown fate: exactly two."""
    webhooks: bool
    paused: bool = False


@dataclass(frozen=True, slots=True)
class AccountTraits:
    """What a campaign must fit to call from an account."""

    provider: str
    simulator: bool
    ring_timeout: timedelta
    max_duration: timedelta
    webhooks: bool


def account_traits(connection: Connection) -> dict[str, AccountTraits]:
    """Every account by name."""
    rows = connection.execute(
        text("SELECT name, provider, simulator, ring_timeout, max_duration, webhooks FROM accounts ORDER BY name")
    )
    return {
        row.name: AccountTraits(row.provider, row.simulator, row.ring_timeout, row.max_duration, row.webhooks)
        for row in rows
    }


_UPSERT = text("""
    INSERT INTO accounts (name, provider, limit_group, simulator, concurrency, calls_per_second, ring_timeout,
        max_duration, reconcile_after, webhooks, paused_reason)
    VALUES (:name, :provider, :limit_group, :simulator, :concurrency, :calls_per_second, :ring_timeout,
        :max_duration, :reconcile_after, :webhooks, CASE WHEN :paused THEN :by_settings END)
    ON CONFLICT (name) DO UPDATE SET
        provider = excluded.provider, limit_group = excluded.limit_group, simulator = excluded.simulator,
        concurrency = excluded.concurrency, calls_per_second = excluded.calls_per_second,
        ring_timeout = excluded.ring_timeout, max_duration = excluded.max_duration,
        reconcile_after = excluded.reconcile_after, webhooks = excluded.webhooks,
        paused_reason = CASE WHEN :paused THEN coalesce(accounts.paused_reason, :by_settings)
            ELSE nullif(accounts.paused_reason, :by_settings) END
""")


def put_accounts(connection: Connection, accounts: Sequence[AccountRecord]) -> None:
    """Insert or renew them by name. What the guards wrote (pause, cool-down, skew) stays."""
    for account in sorted(accounts, key=lambda each: each.name):
        values = asdict(account) | {"reconcile_after": list(account.reconcile_after)}
        connection.execute(_UPSERT, values | {"by_settings": PAUSED_BY_SETTINGS})


def turned_real(connection: Connection, accounts: Sequence[AccountRecord]) -> list[str]:
    """Simulator accounts that would become real ones while a campaign on a rehearsal clock still uses them."""
    real = [account.name for account in accounts if not account.simulator]
    rows = connection.execute(
        text("""
            SELECT DISTINCT a.name FROM accounts a JOIN campaigns c ON c.account = a.name
            WHERE a.simulator AND a.name = ANY(:real) AND c.clock_campaign_at IS NOT NULL
                AND c.state <> 'cancelled' ORDER BY 1
        """),
        {"real": real},
    )
    return list(rows.scalars())


def put_active_rules(connection: Connection, *, digest: str, tzdata_version: str) -> None:
    """Which rules and zones every claim must hold from now on."""
    connection.execute(
        text("UPDATE system SET rules_digest = :digest, tzdata_version = :tzdata_version"),
        {"digest": digest, "tzdata_version": tzdata_version},
    )
