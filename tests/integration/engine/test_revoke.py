"""`revoke`: what it ends, what it leaves alone, and its two instants."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.calls.outcomes import Outcome
from campaigns.calls.permits import PERMIT_LIFETIME
from campaigns.providers.contract import Phase
from campaigns.services.ask_back import AskBack
from campaigns.services.revoke import RevocationRefusedError, Revoke, Revoked

ANN, BEN = "+12125550101", "+12125550102"


class Waits(list[timedelta]):
    """Notes how long was to be waited, and does something meanwhile."""

    def __init__(self, meanwhile: Any = None) -> None:
        self._meanwhile = meanwhile

    def __call__(self, duration: timedelta) -> None:
        self.append(duration)
        if self._meanwhile is not None:
            self._meanwhile()


def revoke(world: Any, number: str = ANN, *, wait: Any = None, **options: Any) -> Revoked:
    return Revoke(world.database, operator="ann", wait=Waits() if wait is None else wait).run(number, **options)


def ask_back(world: Any, run_async: Any) -> int:
    return AskBack(world.database, {"sim": world.provider}, simulators=frozenset({"sim"}), run_async=run_async).run()


def test_it_waits_one_permit_lifetime_after_its_commit_and_notes_both_instants(world):
    world.call(world.campaign(), ANN)
    seen: list[int] = []
    waits = Waits(lambda: seen.append(world.one("SELECT count(*) FROM revocations")))
    revoked = revoke(world, wait=waits)
    assert (waits, seen) == ([PERMIT_LIFETIME], [1])
    assert revoked.effective_at == revoked.received_at <= revoked.returned_at
    assert world.one("SELECT returned_at FROM revocation_returns") == revoked.returned_at
    assert [tuple(row) for row in world.sql("SELECT operator, action FROM operations")] == [("ann", "revoke")]


def test_waiting_calls_are_blocked_in_the_same_transaction(world):
    call, other = world.call(world.campaign(), ANN), world.call(world.campaign("other"), BEN)
    states: list[str] = []
    revoked = revoke(world, wait=Waits(lambda: states.append(world.state(call))))
    assert states == ["blocked"]
    assert (revoked.calls_blocked, world.reason(call), world.state(other)) == (1, "REV-ACTIVE", "scheduled")


def test_a_call_that_comes_in_between_is_blocked_too(world):
    campaign, second = world.campaign(), world.campaign("second")
    world.call(campaign, ANN)
    revoked = revoke(world, wait=Waits(lambda: world.call(second, ANN)))
    assert revoked.calls_blocked == 2


def test_a_call_in_a_workers_hands_is_refused_at_its_claim(world):
    call = world.call(world.campaign(), ANN)
    world.feed.run("g")
    revoke(world)
    world.deliver()
    assert (world.state(call), world.reason(call), world.provider.dials) == ("blocked", "REV-ACTIVE", [])
    assert world.one("SELECT rule_id FROM decisions") == "REV-ACTIVE"


def test_a_live_call_goes_on_and_makes_no_further_attempt(world):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.receive(world.report(call, Phase.CONNECTED))
    assert revoke(world).asked_back == 0
    assert world.state(call) == "in_progress"
    world.finish(call, Outcome.NO_ANSWER, retryable=True)
    world.set_campaign_clock(1, datetime(2026, 12, 3, 17, tzinfo=UTC))
    world.sql("UPDATE calls SET due_at = '2026-12-01', closes_at = '2026-12-12'")
    world.dial_all()
    assert (world.state(call), len(world.provider.dials)) == ("blocked", 1)


@pytest.mark.parametrize(
    ("scope", "value", "blocked"),
    [
        ("all", None, True),
        ("seller", "example energy, inc. ", True),
        ("purpose", "telemarketing", True),
        ("purpose", "informational", False),
        ("campaign", "spring", True),
        ("campaign", "other", False),
    ],
)
def test_a_revocation_reaches_as_far_as_its_scope(world, scope: Any, value: str | None, blocked: bool):
    call = world.call(world.campaign("spring"), ANN)
    world.campaign("other")
    revoke(world, scope=scope, value=value)
    world.dial_all()
    assert world.state(call) == ("blocked" if blocked else "in_progress")


def test_a_letter_recorded_late_does_not_beat_a_consent_given_since(world):
    call = world.call(world.campaign(), ANN)
    revoke(world, received_at=datetime(2026, 8, 1, tzinfo=UTC), channel="letter")
    assert world.state(call) == "scheduled"
    world.dial_all()
    assert world.state(call) == "in_progress"


def test_calls_for_an_emergency_are_not_kept_from_people(world):
    call = world.call(world.campaign(), ANN)
    world.sql(
        "UPDATE campaign_versions SET definition = definition || CAST(:keys AS jsonb)",
        keys=json.dumps({"purpose": "emergency"}),
    )
    assert revoke(world).calls_blocked == 0
    assert world.state(call) == "scheduled"


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"scope": "campaign", "value": "sprng"}, "did you mean 'spring'?"),
        ({"scope": "purpose", "value": "sales"}, "there is no purpose 'sales'"),
        ({"scope": "seller", "value": "Exampel Energy, Inc."}, "did you mean 'Example Energy, Inc.'?"),
        ({"scope": "seller"}, "which seller?"),
        ({"scope": "all", "value": "spring"}, "takes no value"),
        ({"received_at": datetime(2200, 1, 1, tzinfo=UTC)}, "in the future"),
    ],
)
def test_a_revocation_that_would_cover_nothing_is_refused(world, options: dict[str, Any], part: str):
    world.campaign("spring")
    with pytest.raises(RevocationRefusedError) as refused:
        revoke(world, **options)
    assert part in str(refused.value)
    assert world.one("SELECT count(*) FROM revocations") == 0


def test_a_killed_command_leaves_the_revocation_in_force(world):
    class Killed(BaseException):
        pass

    def kill(_: timedelta) -> None:
        raise Killed

    call = world.call(world.campaign(), ANN)
    with pytest.raises(Killed):
        revoke(world, wait=kill)
    assert world.state(call) == "blocked"
    assert world.one("SELECT count(*) FROM revocation_returns") == 0
    assert revoke(world).calls_blocked == 0
    assert world.one("SELECT count(*) FROM revocation_returns") == 1


def test_a_call_that_waits_at_the_provider_is_cancelled_there(world, run_async):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.QUEUED)]
    assert revoke(world).asked_back == 1
    assert ask_back(world, run_async) == 1
    assert world.provider.ended == [f"call-{world.newest_attempt(call)}"]
    assert world.one("SELECT settled_as FROM provider_cancels") == "cancelled"
    assert ask_back(world, run_async) == 0


@pytest.mark.parametrize(
    ("phase", "settled_as"), [(Phase.RINGING, "live"), (Phase.CONNECTED, "live"), (Phase.ENDED, "over")]
)
def test_a_call_that_rings_or_talks_is_left_alone(world, run_async, phase: Phase, settled_as: str):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.provider.listed = [world.report(call, phase)]
    revoke(world)
    assert ask_back(world, run_async) == 0
    assert (world.provider.ended, world.one("SELECT settled_as FROM provider_cancels")) == ([], settled_as)


def test_a_cancel_that_fails_is_shown_and_tried_again(world, run_async):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.provider.listed, world.provider.unavailable = [world.report(call, Phase.QUEUED)], True
    revoke(world)
    assert ask_back(world, run_async) == 0
    assert tuple(world.sql("SELECT tries, last_error, settled_at FROM provider_cancels")[0]) == (1, "503", None)
    world.provider.unavailable = False
    world.sql("UPDATE provider_cancels SET next_try_at = clock_timestamp()")
    assert ask_back(world, run_async) == 1


def test_a_call_that_the_provider_has_not_confirmed_is_asked_for_until_it_is(world, run_async):
    call = world.call(world.campaign(), ANN)
    world.dial_all()
    world.provider.listed = [world.report(call, Phase.QUEUED)]
    world.sql("UPDATE attempts SET provider_call_id = NULL, state = 'dialing'")
    revoke(world)
    assert ask_back(world, run_async) == 0
    attempt = world.newest_attempt(call)
    world.sql("UPDATE attempts SET provider_call_id = :call_id, state = 'in_progress'", call_id=f"call-{attempt}")
    world.sql("UPDATE provider_cancels SET next_try_at = clock_timestamp()")
    assert ask_back(world, run_async) == 1
