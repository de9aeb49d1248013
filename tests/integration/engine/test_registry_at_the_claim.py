"""The claim asks the do-not-call lists in its own transaction; an account that calls real phones is refused without."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from campaigns.files.list_folders import folder_of
from campaigns.files.registry import NATIONAL, RegistryFiles
from campaigns.services import claim as claim_module
from campaigns.services.claim import Claim
from campaigns.services.list_import import ImportRequest
from campaigns.services.plans import Definitions
from campaigns.services.registry_import import ImportRegistry
from campaigns.services.suppress import suppress

NOON = datetime(2026, 12, 2, 17, tzinfo=UTC)
DAY = timedelta(days=1)
NUMBER, LISTED, ELSEWHERE = "+12122345678", "+12122345679", "+16462345678"


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account calls real phones. (A test's database is not durable, which alone would halt such an account.)"""
    plan_of = claim_module.plan_of
    monkeypatch.setattr(
        claim_module,
        "plan_of",
        lambda *given, **named: replace(plan_of(*given, **named), fictional_allowed=False, halted=None),
    )


@pytest.fixture
def obtain(world: Any, tmp_path: Path) -> Callable[..., str | None]:
    """Import a registry that lists `LISTED` and covers area code 212; `age` on the campaign's clock."""

    def run(*, age: timedelta = DAY) -> str | None:
        path = tmp_path / "registry.txt"
        path.write_text(f"{LISTED[2:5]},{LISTED[5:]}\n")
        request = ImportRequest(NATIONAL, [path], datetime.now(UTC) - DAY, "download", replace_anyway=True)
        version = ImportRegistry(world.database, home=tmp_path, operator="ann").run(request).version
        world.sql("UPDATE list_versions SET obtained_at = :at WHERE replaced_at IS NULL", at=NOON - age)
        return version

    return run


@pytest.fixture
def claimed(world: Any, tmp_path: Path) -> Callable[[], None]:
    """Release what is due and claim it, as a worker of this machine does; nothing is dialed."""
    files = RegistryFiles(tmp_path)
    claim = Claim(world.database, replace(world.gate, registry=files), Definitions())

    def run() -> None:
        world.feed.run("g")
        messages, world.publisher.messages = world.publisher.messages, []
        for campaign_id, refs in messages:
            claim.run(refs, campaign_id=campaign_id, task_id="task-1")

    return run


def answer(world: Any, call_id: int) -> str | None:
    rule: str | None = world.one(
        "SELECT rule_id FROM decisions WHERE call_id = :id ORDER BY id DESC LIMIT 1", id=call_id
    )
    return rule


@pytest.mark.usefixtures("real")
def test_a_sales_call_is_permitted_under_a_fresh_version_that_covers_it(
    world: Any, obtain: Callable[..., str], claimed: Callable[[], None]
) -> None:
    obtain()
    campaign = world.campaign()
    free, on_list = world.call(campaign, NUMBER), world.call(campaign, LISTED)
    claimed()
    assert (world.state(free), answer(world, free)) == ("dialing", None)
    assert world.state(on_list) == "dialing", "consent in writing to this seller lifts the national list"


@pytest.mark.usefixtures("real")
def test_without_any_version_sales_calls_wait_until_one_is_imported(
    world: Any, obtain: Callable[..., str], claimed: Callable[[], None]
) -> None:
    call_id = world.call(world.campaign(), NUMBER)
    claimed()
    assert (world.state(call_id), answer(world, call_id)) == ("scheduled", "DNC-STALE")
    obtain()
    world.sql("UPDATE calls SET due_at = :at", at=NOON - DAY)
    claimed()
    assert world.state(call_id) == "dialing"


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize(("age", "rule"), [(31 * DAY - timedelta(minutes=1), None), (31 * DAY, "DNC-STALE")])
def test_a_version_older_than_31_days_holds_sales_calls_back(
    world: Any, obtain: Callable[..., str], claimed: Callable[[], None], age: timedelta, rule: str | None
) -> None:
    obtain(age=age)
    call_id = world.call(world.campaign(), NUMBER)
    claimed()  # some moments after noon, on the campaign's clock
    assert answer(world, call_id) == rule
    assert world.state(call_id) == ("scheduled" if rule else "dialing")


@pytest.mark.usefixtures("real")
def test_an_area_code_that_the_version_does_not_cover_is_refused_for_good(
    world: Any, obtain: Callable[..., str], claimed: Callable[[], None]
) -> None:
    obtain()
    call_id = world.call(world.campaign(), ELSEWHERE)
    claimed()
    assert (world.state(call_id), world.reason(call_id)) == ("blocked", "DNC-UNCOVERED")


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("damage", ["no folder", "short file"])
def test_a_worker_that_cannot_read_the_version_in_force_refuses_and_the_call_waits(
    world: Any, obtain: Callable[..., str], claimed: Callable[[], None], tmp_path: Path, damage: str
) -> None:
    folder = folder_of(tmp_path, NATIONAL) / obtain()
    if damage == "no folder":
        folder.rename(tmp_path / "away")
    else:
        (folder / "212.bits").unlink()
        (folder / "212.bits").write_bytes(b"short")
    call_id = world.call(world.campaign(), NUMBER)
    claimed()
    assert (world.state(call_id), answer(world, call_id)) == ("scheduled", "DNC-UNREADABLE")


def test_a_rehearsal_needs_no_registry_and_heeds_one_that_is_there(
    world: Any, obtain: Callable[..., str], claimed: Callable[[], None]
) -> None:
    campaign = world.campaign()
    before = world.call(campaign, "+12125550100")
    claimed()
    assert world.state(before) == "dialing"
    obtain(age=400 * DAY)
    on_list = world.call(campaign, LISTED, consent=False)
    claimed()
    checks = world.one("SELECT checks FROM decisions WHERE call_id = :id", id=on_list)
    assert [check["passed"] for check in checks if check["rule_id"] == "DNC-NATIONAL"] == [False]


def test_a_states_list_stops_sales_and_nothing_else_while_our_own_stops_all(
    world: Any, claimed: Callable[[], None]
) -> None:
    suppress(world.database, ["+12125550100", "+12125550101"], list_name="US-FL", source="list", operator="ann")
    suppress(world.database, ["+12125550102"], list_name="internal", source="list", operator="ann")
    sales, notices = world.campaign("sales"), world.campaign("notices")
    world.sql(
        """UPDATE campaign_versions SET definition = definition || '{"purpose": "informational"}'
        WHERE campaign_id = :id""",
        id=notices,
    )
    sold, told = world.call(sales, "+12125550100"), world.call(notices, "+12125550101")
    never = world.call(notices, "+12125550102")
    claimed()
    assert (world.state(sold), world.reason(sold)) == ("blocked", "DNC-STATE")
    assert world.state(told) == "dialing"
    assert (world.state(never), world.reason(never)) == ("blocked", "DNC-INTERNAL")


def test_a_state_list_that_was_never_imported_is_asked_for(
    world: Any, real: None, obtain: Callable[..., str | None], claimed: Callable[[], None]
) -> None:
    obtain()
    world.call(world.campaign(), "+13052345678")
    claimed()
    assert "US-FL keeps a do-not-call list of its own" in world.one("SELECT checks::text FROM decisions")
    assert world.provider.dials == []
