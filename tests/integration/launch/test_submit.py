"""Submit: once from the same file, never from another one under the same name, and not past a guard."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from campaigns.files.customer_problems import CustomerFileError
from campaigns.services.accounts import AccountInUseError, AccountRecord, sync_accounts
from campaigns.services.submit import (
    AssistantMisfitError,
    ChangedDefinitionError,
    PendingKeysError,
    RehearsalRefusedError,
    UnknownAccountError,
    UnprovableRedialError,
    WindowOverError,
)

CRON = {"cron": "0 9 * * 1-5", "timezone": "America/New_York", "runFor": "10h"}


def test_a_new_file_makes_a_campaign_with_a_run_to_expand(world: Any) -> None:
    submitted = world.submit("+12125550100")
    assert submitted.created
    assert world.query("SELECT state, earliest_at, latest_at FROM runs WHERE id = :id", id=submitted.run_id) == [
        ("expanding", datetime(2026, 12, 1, 13, tzinfo=UTC), datetime(2026, 12, 13, 1, tzinfo=UTC))
    ]
    assert world.query("SELECT operator, action, subject FROM operations") == [("ann", "submit", "spring")]


def test_the_same_file_again_changes_nothing(world: Any) -> None:
    first = world.submit("+12125550100")
    again = world.submit("+12125550100")
    assert not again.created
    assert (again.campaign_id, again.run_id) == (first.campaign_id, first.run_id)
    assert world.query("SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM operations)") == [(1, 1)]


def test_a_file_laid_out_differently_is_the_same_file(world: Any) -> None:
    world.submit("+12125550100")
    assert not world.submit("+12125550100", remark="reviewed by Bob").created


def test_a_changed_file_under_the_same_name_is_refused_with_the_difference(world: Any) -> None:
    world.submit("+12125550100")
    with pytest.raises(ChangedDefinitionError, match=r"seller: Example Energy, Inc\. → Other, Inc\."):
        world.submit("+12125550100", seller="Other, Inc.")


def test_a_changed_customer_list_under_the_same_name_is_refused(world: Any) -> None:
    world.submit("+12125550100")
    with pytest.raises(ChangedDefinitionError, match="content of the customer file changed") as refused:
        world.submit("+12125550101")
    assert len(refused.value.differences) == 1


@pytest.mark.parametrize(
    ("provider", "assistant", "refused"),
    [
        ("voxworks", {"scriptId": "s"}, True),
        ("vapi", {"id": "a"}, False),
        ("cognigy", {"applicationSid": "x"}, False),
    ],
)
def test_redial_is_refused_where_no_absence_can_be_proven(
    world: Any, provider: str, assistant: dict[str, str], *, refused: bool
) -> None:
    world.query("UPDATE accounts SET provider = :provider RETURNING name", provider=provider)
    redial = {"maxAttempts": 2, "ambiguous": "redial"}
    if not refused:
        assert world.submit("+12125550100", assistant=assistant, retries=redial).created
        return
    with pytest.raises(UnprovableRedialError, match=r"lists no calls.*ambiguous: hold"):
        world.submit("+12125550100", assistant=assistant, retries=redial)
    assert world.query("SELECT name FROM campaigns") == []
    assert world.submit("+12125550100", assistant=assistant, retries=redial | {"ambiguous": "hold"}).created


def test_two_submits_at_once_make_one_campaign(world: Any) -> None:
    world.write_list("+12125550100")
    with ThreadPoolExecutor(2) as both:
        results = [future.result() for future in [both.submit(world.submit) for _ in range(2)]]
    assert sorted(result.created for result in results) == [False, True]
    assert world.query("SELECT count(*) FROM runs") == [1]


def test_keys_without_effect_are_refused_by_name(world: Any) -> None:
    with pytest.raises(PendingKeysError, match=r"budget\.cost"):
        world.submit("+12125550100", budget={"cost": "5.00"})
    assert world.query("SELECT count(*) FROM campaigns") == [0]


def test_an_unknown_account_is_refused_with_those_there_are(world: Any) -> None:
    with pytest.raises(UnknownAccountError, match="configured are: rehearsal") as refused:
        world.submit("+12125550100", account="rehearsel")
    assert refused.value.nearest == "rehearsal"


GATEWAY = AccountRecord(
    name="gateway",
    provider="cognigy",
    limit_group="group-2",
    simulator=True,
    concurrency=10,
    calls_per_second=5.0,
    ring_timeout=timedelta(seconds=45),
    max_duration=timedelta(minutes=10),
    reconcile_after=(timedelta(seconds=1), timedelta(seconds=3)),
    webhooks=True,
)
VAPI = replace(GATEWAY, name="vapi-account", provider="vapi")
TALK = "maxDurationSeconds"


@pytest.mark.parametrize(
    ("account", "assistant", "sentence"),
    [
        (GATEWAY, {"id": "a"}, "account gateway is at Cognigy, whose assistants are named by applicationSid"),
        (VAPI, {"scriptId": "s"}, "account vapi-account is at Vapi, whose assistants are named by id, inline"),
        (GATEWAY, {"applicationSid": "x", "timeout": 46}, "assistant.timeout: 46 s is more than the account's ringT"),
        (GATEWAY, {"applicationSid": "x", "timeLimit": 601}, "account's maxDuration 10m; lower it, or raise maxDur"),
        (replace(GATEWAY, webhooks=False), {"applicationSid": "x", "amd": {}}, "nobody would hear its word"),
        (VAPI, {"id": "a", "overrides": {TALK: 601}}, f"assistant.overrides.{TALK}: 601 s is more than the account's"),
        (VAPI, {"inline": {TALK: 3600}}, f"assistant.inline.{TALK}: 3600 s is more than the account's maxDuration 10m"),
        (VAPI, {"squad": {"members": [{"assistant": {TALK: 900}}]}}, f"squad.members[0].assistant.{TALK}: 900 s"),
    ],
)
def test_an_assistant_that_does_not_fit_the_account_is_refused(
    world: Any, account: AccountRecord, assistant: dict[str, Any], sentence: str
) -> None:
    sync_accounts(world.engine, [account])
    with pytest.raises(AssistantMisfitError, match=re.escape(sentence)):
        world.submit("+12125550100", account=account.name, assistant=assistant)
    assert world.query("SELECT name FROM campaigns") == []


@pytest.mark.parametrize(
    ("webhooks", "assistant"),
    [
        (True, {"applicationSid": "x", "timeout": 45, "timeLimit": 600, "amd": {}}),
        (False, {"applicationSid": "x", "amd": {"actionHook": "https://example.com/amd"}}),
    ],
)
def test_an_assistant_that_fits_its_account_is_taken(world: Any, assistant: dict[str, Any], *, webhooks: bool) -> None:
    sync_accounts(world.engine, [replace(GATEWAY, webhooks=webhooks)])
    assert world.submit("+12125550100", account="gateway", assistant=assistant).created


def test_of_two_longest_durations_that_of_the_overrides_counts(world: Any) -> None:
    sync_accounts(world.engine, [VAPI])
    assistant = {"inline": {TALK: 3600}, "overrides": {TALK: 600}}
    assert world.submit("+12125550100", account=VAPI.name, assistant=assistant).created


def test_a_rehearsal_clock_on_a_real_account_is_refused(world: Any, real_account: AccountRecord) -> None:
    sync_accounts(world.engine, [real_account])
    with pytest.raises(RehearsalRefusedError, match="dials real people"):
        world.submit("+12125550100", account=real_account.name)


def test_a_window_that_is_over_is_refused(world: Any) -> None:
    with pytest.raises(WindowOverError, match="latestAt"):
        world.submit("+12125550100", at=datetime(2026, 12, 13, 0, 59, 30, tzinfo=UTC))


def test_a_list_that_cannot_be_read_is_refused_and_nothing_is_written(world: Any) -> None:
    with pytest.raises(CustomerFileError, match="no column 'phone'"):
        world.submit("+12125550100", header="fone")
    assert world.query("SELECT count(*) FROM campaigns") == [0]


def test_inline_customers_need_no_file(world: Any) -> None:
    submitted = world.submit(customers={"list": [{"number": "+12125550100"}]})
    assert submitted.run_id is not None


def test_a_recurring_campaign_gets_its_first_slot_and_no_run(world: Any) -> None:
    submitted = world.submit("+12125550100", schedule=CRON)
    wednesday_nine = datetime(2026, 12, 2, 14, tzinfo=UTC)
    assert (submitted.run_id, submitted.next_run_at) == (None, wednesday_nine)
    assert world.query("SELECT next_run_at FROM campaigns") == [wednesday_nine]


def test_a_slot_before_the_window_is_not_the_first(world: Any) -> None:
    submitted = world.submit("+12125550100", schedule=CRON, at=datetime(2026, 11, 1, tzinfo=UTC))
    assert submitted.next_run_at == datetime(2026, 12, 1, 14, tzinfo=UTC)


def test_a_schedule_without_a_slot_is_refused(world: Any) -> None:
    with pytest.raises(WindowOverError, match="no slot left"):
        world.submit("+12125550100", schedule={**CRON, "cron": "0 9 25 12 *"})


def test_a_recurring_campaign_may_renew_its_list(world: Any) -> None:
    world.submit("+12125550100", schedule=CRON)
    assert not world.submit("+12125550101", schedule=CRON).created


def test_every_campaign_has_a_webhook_token_of_its_own(world: Any) -> None:
    world.submit("+12125550100")
    world.submit("+12125550100", campaign="autumn")
    tokens = world.query("SELECT webhook_token FROM campaigns")
    assert len(set(tokens)) == 2
    assert min(len(token) for token in tokens) >= 43


def test_an_account_under_a_rehearsal_cannot_become_a_real_one(world: Any, real_account: AccountRecord) -> None:
    world.submit("+12125550100")
    with pytest.raises(AccountInUseError, match="another name"):
        sync_accounts(world.engine, [replace(real_account, name="rehearsal")])


def test_accounts_are_renewed_and_keep_what_guards_wrote(world: Any, real_account: AccountRecord) -> None:
    sync_accounts(world.engine, [replace(real_account, paused=True)])
    world.execute("UPDATE accounts SET paused_reason = 'three config errors' WHERE name = 'rehearsal'")
    rehearsal = replace(real_account, name="rehearsal", simulator=True, concurrency=77)
    sync_accounts(world.engine, [real_account, rehearsal])
    assert world.query("SELECT name, concurrency, paused_reason FROM accounts ORDER BY name") == [
        ("live", 10, None),
        ("rehearsal", 77, "three config errors"),
    ]


@pytest.fixture
def real_account() -> AccountRecord:
    return AccountRecord(
        name="live",
        provider="vapi",
        limit_group="group-2",
        simulator=False,
        concurrency=10,
        calls_per_second=1.0,
        ring_timeout=timedelta(seconds=60),
        max_duration=timedelta(minutes=10),
        reconcile_after=(timedelta(seconds=30), timedelta(minutes=5)),
        webhooks=True,
    )
