"""Settings: environment over file, every mistake told at once with what to do, and no secret in any text."""

from datetime import timedelta
from pathlib import Path

import pytest

from campaigns.definition.problems import Problem
from campaigns.runtime.settings import Account, Settings, SettingsError, limit_group, load_settings
from campaigns.services.roles import Role

VAPI = """
[accounts.vapi-main]
provider = "vapi"
baseUrl = "https://api.vapi.ai"
apiKeyEnv = "VAPI_API_KEY"
concurrency = 10
callsPerSecond = 1.0
webhookSecretEnv = "VAPI_WEBHOOK_SECRET"
"""
SIMULATOR = """
[accounts.sim]
provider = "vapi"
baseUrl = "http://127.0.0.1:8090"
concurrency = 50
callsPerSecond = 50
simulator = true
reconcileAfter = ["1s", "3s"]
"""


def settings_of(tmp_path: Path, text: str = "", **environment: str) -> Settings:
    (tmp_path / "ringfence.toml").write_text(text)
    return load_settings({"RINGFENCE_HOME": str(tmp_path / "home"), **environment}, tmp_path)


def account_of(tmp_path: Path, text: str, **environment: str) -> Account:
    return next(iter(settings_of(tmp_path, text, **environment).accounts.values()))


def problems_of(tmp_path: Path, text: str, **environment: str) -> dict[str, Problem]:
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, text, **environment)
    return {problem.path: problem for problem in caught.value.problems}


def test_the_example_of_the_manual_is_read(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, 'publicUrl = "https://calls.example.com/"' + VAPI, VAPI_API_KEY="k")
    account = settings.account("vapi-main")

    assert settings.public_url == "https://calls.example.com"
    assert account.require_api_key() == "k"
    assert account.settings.calls_per_second == 1.0
    assert account.settings.reconcile_after == (timedelta(seconds=30), timedelta(minutes=5))


def test_without_any_file_there_are_defaults_and_no_account(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)

    assert settings.home == Path("~/.ringfence").expanduser()
    assert settings.operator
    assert settings.file is None
    assert settings.database_url is None
    assert not settings.accounts


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        'publicUrl = "https://file.example.com"',
        RINGFENCE_PUBLIC_URL="https://environment.example.com",
        RINGFENCE_OPERATOR="dana",
    )

    assert settings.public_url == "https://environment.example.com"
    assert settings.operator == "dana"


def test_the_working_directory_wins_over_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "ringfence.toml").write_text(SIMULATOR)
    work = tmp_path / "work"
    work.mkdir()

    assert list(load_settings({"RINGFENCE_HOME": str(home)}, work).accounts) == ["sim"]
    (work / "ringfence.toml").write_text(VAPI)
    assert list(load_settings({"RINGFENCE_HOME": str(home)}, work).accounts) == ["vapi-main"]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    (tmp_path / "database").write_text("postgresql://u:p@db/ringfence\n")
    text = VAPI.replace('apiKeyEnv = "VAPI_API_KEY"', f'apiKeyFile = "{tmp_path}/key"')
    settings = settings_of(tmp_path, text, DATABASE_URL_FILE=str(tmp_path / "database"))

    assert settings.account("vapi-main").require_api_key() == "from-file"
    assert settings.database_url == "postgresql://u:p@db/ringfence"


def test_no_secret_shows_in_the_text_of_the_settings(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        VAPI,
        VAPI_API_KEY="hidden-key",
        VAPI_WEBHOOK_SECRET="hidden-secret",
        DATABASE_URL="postgresql://u:hidden-password@db/x",
        REDIS_URL="redis://:hidden-password@redis/0",
    )

    assert "hidden" not in repr(settings) + str(settings)


def test_a_missing_key_is_told_when_it_is_needed_and_not_before(tmp_path: Path) -> None:
    account = account_of(tmp_path, VAPI)

    with pytest.raises(SettingsError, match="the environment variable VAPI_API_KEY holds no key"):
        account.require_api_key()


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = VAPI.replace("concurrency = 10", "concurrency = 0").replace('"vapi"', '"vap"') + 'ringTimeout = "1x"'
    problems = problems_of(tmp_path, 'publicUrl = "calls"\n' + text)

    assert set(problems) == {
        "publicUrl",
        "accounts.vapi-main.provider",
        "accounts.vapi-main.concurrency",
        "accounts.vapi-main.ringTimeout",
    }


def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path) -> None:
    problem = problems_of(tmp_path, VAPI + "callPerSecond = 2")["accounts.vapi-main.callPerSecond"]

    assert problem.nearest == "callsPerSecond"
    assert problem.file.endswith("ringfence.toml")
    assert "did you mean callsPerSecond?" in problem.message


@pytest.mark.parametrize(
    ("text", "path", "instead"),
    [
        ('databaseUrl = "postgresql://u:hidden@db/x"', "databaseUrl", "DATABASE_URL"),
        (VAPI + 'apiKey = "hidden"', "accounts.vapi-main.apiKey", "apiKeyEnv"),
        (VAPI + 'webhookSecret = "hidden"', "accounts.vapi-main.webhookSecret", "webhookSecretEnv"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, text: str, path: str, instead: str) -> None:
    problem = problems_of(tmp_path, text)[path]

    assert instead in problem.allowed
    assert "hidden" not in problem.render()


def test_a_real_account_needs_a_credential(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, VAPI.replace('apiKeyEnv = "VAPI_API_KEY"\n', ""))

    assert "set apiKeyEnv" in problems["accounts.vapi-main"].message


@pytest.mark.parametrize("address", ["https://api.vapi.ai", "http://simulator:8090", "http://10.0.0.1"])
def test_a_simulator_account_may_only_point_at_this_machine(tmp_path: Path, address: str) -> None:
    problems = problems_of(tmp_path, SIMULATOR.replace("http://127.0.0.1:8090", address))

    assert "simulator = true, and baseUrl is not on this machine" in problems["accounts.sim"].found


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://127.9.9.9"])
def test_every_name_of_the_loopback_will_do_for_a_simulator(tmp_path: Path, address: str) -> None:
    account = account_of(tmp_path, SIMULATOR.replace("http://127.0.0.1:8090", address))

    assert account.settings.simulator
    assert account.require_api_key()


@pytest.mark.parametrize("looks", ['["30s"]', '["5m", "30s"]', '["30s", "30s"]', "[]"])
def test_absence_at_a_provider_needs_two_looks_apart(tmp_path: Path, looks: str) -> None:
    problems = problems_of(tmp_path, VAPI + f"reconcileAfter = {looks}")

    assert "exactly two rising durations" in problems["accounts.vapi-main.reconcileAfter"].allowed


def test_a_file_that_is_no_toml_is_told_with_its_place(tmp_path: Path) -> None:
    problem = problems_of(tmp_path, "accounts = = 1")[""]

    assert "line 1" in problem.found


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "ringfence.toml").write_bytes(b"publicUrl = '\xff'")

    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings({}, tmp_path)


def test_an_unknown_account_names_those_there_are(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, VAPI)

    with pytest.raises(SettingsError, match="did you mean vapi-main"):
        settings.account("vapi-mian")


def test_accounts_with_one_credential_share_one_limit_and_others_do_not(tmp_path: Path) -> None:
    twin = VAPI.replace("vapi-main", "vapi-twin")
    other = VAPI.replace("vapi-main", "other").replace('"VAPI_API_KEY"', '"OTHER_KEY"')
    settings = settings_of(tmp_path, VAPI + twin + other, VAPI_API_KEY="k1", OTHER_KEY="k2")
    groups = {name: limit_group(account) for name, account in settings.accounts.items()}

    assert groups["vapi-main"] == groups["vapi-twin"]
    assert groups["vapi-main"] != groups["other"]
    assert "k1" not in groups["vapi-main"]


def test_the_group_of_a_limit_is_the_same_in_every_process(tmp_path: Path) -> None:
    """Written out, since workers of two versions must agree on it."""
    assert limit_group(account_of(tmp_path, VAPI, VAPI_API_KEY="k")) == "f1469ef7a2805181"


# --- what is kept, who sees it, and how webhooks prove themselves -----------------------------------------------


def test_conversations_and_webhooks_are_kept_for_a_month_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    kept = settings_of(tmp_path).retention
    assert (kept.conversations, kept.webhooks) == (timedelta(days=30), timedelta(days=30))
    told = settings_of(tmp_path, '[retention]\nconversations = "0d"\nwebhooks = "90d"').retention
    assert (told.conversations, told.webhooks) == (timedelta(0), timedelta(days=90))


def test_receipts_are_kept_long_enough_to_know_a_second_delivery(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, '[retention]\nwebhooks = "1d"')
    assert "at least 2d" in problems["retention.webhooks"].allowed


def test_an_unknown_key_of_the_retention_names_the_nearest(tmp_path: Path) -> None:
    problem = problems_of(tmp_path, '[retention]\nconversation = "30d"')["retention.conversation"]
    assert problem.nearest == "conversations"


def test_nobody_is_more_than_a_viewer_unless_the_settings_say_so(tmp_path: Path) -> None:
    assert settings_of(tmp_path).role is Role.VIEWER
    assert settings_of(tmp_path, 'role = "operator"').role is Role.OPERATOR
    assert settings_of(tmp_path, 'role = "operator"', RINGFENCE_ROLE="compliance").role is Role.COMPLIANCE


def test_a_role_that_there_is_not_is_told_with_those_there_are(tmp_path: Path) -> None:
    assert "compliance" in problems_of(tmp_path, "", RINGFENCE_ROLE="king")["role"].allowed


def test_a_webhook_secret_that_is_named_and_not_there_is_not_taken_for_none(tmp_path: Path) -> None:
    assert account_of(tmp_path, SIMULATOR).require_webhook_secret() is None
    assert account_of(tmp_path, VAPI, VAPI_WEBHOOK_SECRET="s").require_webhook_secret() == "s"
    with pytest.raises(SettingsError, match="VAPI_WEBHOOK_SECRET holds no secret"):
        account_of(tmp_path, VAPI, VAPI_WEBHOOK_SECRET=" ").require_webhook_secret()


def test_a_signature_is_not_asked_for_without_a_secret_to_look_at_it_by(tmp_path: Path) -> None:
    problem = problems_of(tmp_path, SIMULATOR + 'webhookAuth = "both"')["accounts.sim"]
    assert "webhookSecretEnv" in problem.allowed
    assert account_of(tmp_path, VAPI + 'webhookAuth = "both"').settings.webhook_auth == "both"
