"""A process whose settings call a real account a simulator, or the reverse: what it sees there proves nothing."""

from typing import Any

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.providers.contract import FateUnknown, Phase
from campaigns.services.accounts import AccountInUseError, sync_accounts
from campaigns.services.ask_back import AskBack
from campaigns.services.daily_audit import DailyAudit
from campaigns.services.late_ring import LateRing
from campaigns.services.poll import Poll
from campaigns.services.provider_audit import OtherKindError, ProviderAudit
from campaigns.services.reconcile import Reconcile
from campaigns.services.revoke import Revoke
from campaigns.store.accounts import AccountRecord
from tests.integration.engine.holding import ANN

NONE = frozenset[str]()
"""To such a process no account is a simulator; the world's is one."""


def parts(world: Any) -> tuple[Any, ...]:
    return world.database, world.recorder, {"sim": world.provider}, world.publisher


def lost(world: Any) -> int:
    """A call of unknown fate in a campaign that redials what is absent."""
    world.provider.answer = lambda request: FateUnknown("the connection broke")
    call: int = world.call(world.campaign(ambiguous="redial"), ANN)
    world.dial_all()
    return call


def test_what_is_absent_there_is_not_redialed(world: Any, run_async: Any) -> None:
    call = lost(world)
    stranger = Reconcile(*parts(world), simulators=NONE, run_async=run_async)
    for _ in range(3):
        world.sql("UPDATE attempts SET check_at = clock_timestamp()")
        stranger.run()
    assert (world.state(call), world.one("SELECT absences FROM attempts")) == ("fate_unknown", 0)


def test_what_is_unknown_there_is_neither_closed_nor_flagged_nor_taken_for_cancelled(
    world: Any, run_async: Any
) -> None:
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    Revoke(world.database, operator="ann", wait=lambda _: None).run(ANN)
    world.sql("UPDATE attempts SET check_at = clock_timestamp(), claimed_at = claimed_at - interval '1 day'")
    world.sql("UPDATE attempts SET requested_at = claimed_at, ring_look_at = NULL")
    for _ in range(7):
        world.sql("UPDATE provider_cancels SET next_try_at = clock_timestamp()")
        Poll(*parts(world), simulators=NONE, run_async=run_async).run()
        LateRing(*parts(world), simulators=NONE, run_async=run_async).run()
        AskBack(world.database, {"sim": world.provider}, simulators=NONE, run_async=run_async).run()
    assert (world.state(call), world.one("SELECT tries FROM provider_cancels")) == ("in_progress", 0)
    assert world.sql("SELECT kind FROM alarms") == []


def test_its_lists_audit_nothing_and_lift_no_hold(world: Any, run_async: Any) -> None:
    world.campaign()
    world.sql("UPDATE accounts SET audit_due_at = clock_timestamp()")
    audit = ProviderAudit(*parts(world)[:3], simulators=NONE, run_async=run_async)
    assert DailyAudit(world.database, audit, {"sim": world.provider}, simulators=NONE).run() is None
    with pytest.raises(OtherKindError, match="a simulator to the database and a real one to these settings"):
        audit.run("sim", since=world.one("SELECT clock_timestamp() - interval '1 day'"))


def record(world: Any, *, simulator: bool) -> AccountRecord:
    (row,) = world.sql(
        """SELECT name, provider, limit_group, concurrency, calls_per_second, ring_timeout, max_duration,
            reconcile_after, webhooks FROM accounts"""
    )
    return AccountRecord(**row._asdict(), simulator=simulator)


def test_a_real_account_with_calls_that_are_not_over_does_not_become_a_simulator(world: Any) -> None:
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.sql("UPDATE accounts SET simulator = false")
    with pytest.raises(AccountInUseError, match="calls that are not over"):
        sync_accounts(world.database, [record(world, simulator=True)])
    assert world.one("SELECT simulator FROM accounts") is False
    world.finish(call, Outcome.ANSWERED)
    sync_accounts(world.database, [record(world, simulator=True)])
    assert world.one("SELECT simulator FROM accounts") is True


def test_a_process_that_means_the_same_account_goes_on_as_ever(world: Any) -> None:
    call = lost(world)
    world.provider.listed = [world.report(call, Phase.CONNECTED)]
    world.reconcile.run()
    assert world.state(call) == "in_progress"
