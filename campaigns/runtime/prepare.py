"""Bring a database to this version: schema, accounts of the settings, rules in force. Doing it again is harmless."""

from campaigns.runtime.law import gatekeeper
from campaigns.runtime.settings import Account, Settings, limit_group
from campaigns.services.accounts import activate_rules, sync_accounts
from campaigns.services.restored import Restored
from campaigns.store.accounts import AccountRecord
from campaigns.store.engine import open_engine
from campaigns.store.migrate import upgrade


def prepare_database(database_url: str, settings: Settings) -> None:
    """Migrate, then write down accounts and the digest of the rules that every worker must hold from now on.

    In a database that came back from a backup, accounts that dial real people wait from here on for `reconcile`.
    Raises `SettingsError` for an account whose key is missing, `RuleFileError` for rules that are not sound.
    """
    gate = gatekeeper()
    records = [account_record(account, public_url=settings.public_url) for account in settings.accounts.values()]
    engine = open_engine(database_url, pool_size=1)
    try:
        upgrade(engine)
        sync_accounts(engine, records)
        Restored(engine).run()
        activate_rules(engine, digest=gate.rules_digest, tzdata_version=gate.tzdata_version)
    finally:
        engine.dispose()


def account_record(account: Account, *, public_url: str | None) -> AccountRecord:
    """What the database keeps of an account: limits and names, no secret."""
    told = account.settings
    return AccountRecord(
        name=account.name,
        provider=told.provider.value,
        limit_group=limit_group(account),
        simulator=told.simulator,
        concurrency=told.concurrency,
        calls_per_second=told.calls_per_second,
        ring_timeout=told.ring_timeout,
        max_duration=told.max_duration,
        reconcile_after=told.reconcile_after,
        webhooks=told.webhooks and public_url is not None,
        paused=told.paused,
    )
